/** `npm run dev` serves the page, the API of Stagecast behind it, and tokens. */
import react from '@vitejs/plugin-react'
import { SignJWT } from 'jose'
import { defineConfig } from 'vite'

const API = process.env.STAGECAST_URL ?? 'http://127.0.0.1:3001'
const SECRET = new TextEncoder().encode(process.env.JWT_SECRET ?? '')
const SECONDS = 60

/** Stands in for your backend, which would issue a token to a signed-in user: a token for one minute. */
const tokens = {
  name: 'tokens',
  configureServer({ middlewares }) {
    middlewares.use('/token', async (_request, response) => {
      const token = await new SignJWT()
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('ann')
        .setExpirationTime(`${SECONDS}s`)
        .sign(SECRET)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ token, expires_in: SECONDS }))
    })
  },
}

export default defineConfig({
  plugins: [react(), tokens],
  server: { proxy: { '/research': { target: API, rewrite: (path) => path.replace(/^\/research/, '') } } },
})
