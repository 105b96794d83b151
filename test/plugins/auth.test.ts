/** Authentication: every kind of valid token is accepted, every defect is a 401. */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { type Env, JWT_SECRET, startApi, type TestApi, testEnv } from '../helpers/app.ts'
import { injected, isProblem } from '../helpers/problem.ts'
import { sendRaw } from '../helpers/raw.ts'
import { inOneHour, makeToken, serveKeys, startIssuer } from '../helpers/tokens.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaTwo = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })

t.test('with a secret', async (t) => {
  const api = await startWith(t, {})
  await accepts(t, api, 'HS256', makeToken())
  await accepts(t, api, 'a token of an hour ago', makeToken({ claims: { iat: inOneHour() - 7200, nbf: 1 } }))
  await accepts(t, api, 'the scheme in lower case', makeToken(), 'bearer')

  const good = makeToken()
  const [head = '', body = '', mark = ''] = good.split('.')
  const other = makeToken({ claims: { sub: 'mallory' } }).split('.')[1]
  const { privateKey } = rsa
  const defects: Record<string, string> = {
    garbage: 'garbage',
    'three dots': '...',
    'no signature': `${head}.${body}`,
    'an empty signature': `${head}.${body}.`,
    truncated: good.slice(0, -5),
    'another payload under the signature': `${head}.${other}.${mark}`,
    'a fourth part': `${good}.${mark}`,
    'a header that is not JSON': `bm90IGpzb24.${body}.${mark}`,
    'another secret': makeToken({ key: `${JWT_SECRET}!` }),
    'alg none': makeToken({ header: { alg: 'none' } }),
    'alg None': makeToken({ header: { alg: 'None' } }),
    HS384: makeToken({ header: { alg: 'HS384' } }),
    HS512: makeToken({ header: { alg: 'HS512' } }),
    'RS256 although the key is a secret': makeToken({ header: { alg: 'RS256' }, key: privateKey }),
    'ES256 although the key is a secret': makeToken({ header: { alg: 'ES256' }, key: ec.privateKey }),
    'no alg': makeToken({ header: { alg: undefined } }),
    'its own key in the header': makeToken({
      header: { alg: 'RS256', jwk: rsa.publicKey.export({ format: 'jwk' }) },
      key: privateKey,
    }),
    'exp missing': makeToken({ claims: { exp: undefined } }),
    'exp as text': makeToken({ claims: { exp: String(inOneHour()) } }),
    'exp null': makeToken({ claims: { exp: null } }),
    'nbf in the future': makeToken({ claims: { nbf: inOneHour() } }),
    'nbf as text': makeToken({ claims: { nbf: '1' } }),
    'iat as text': makeToken({ claims: { iat: '1' } }),
    'sub missing': makeToken({ claims: { sub: undefined } }),
    'sub empty': makeToken({ claims: { sub: '' } }),
    'sub a number': makeToken({ claims: { sub: 42 } }),
    'sub a list': makeToken({ claims: { sub: ['alice'] } }),
    'sub null': makeToken({ claims: { sub: null } }),
    'an array as payload': makeToken({ payload: JSON.stringify([{ sub: 'alice', exp: inOneHour() }]) }),
    'null as payload': makeToken({ payload: 'null' }),
    'a text as payload': makeToken({ payload: '"alice"' }),
    'no JSON as payload': makeToken({ payload: 'alice' }),
    'an empty payload': makeToken({ payload: '' }),
    'an unknown crit': makeToken({ header: { crit: ['x-new'], 'x-new': true } }),
    'an empty crit': makeToken({ header: { crit: [] } }),
    huge: `${'a'.repeat(5000)}.${'b'.repeat(5000)}.c`,
  }
  for (const [about, token] of Object.entries(defects)) {
    isProblem(t, await ask(api, `Bearer ${token}`), 'INVALID_TOKEN', about)
  }
  isProblem(t, await ask(api, `Bearer ${makeToken({ claims: { exp: 1 } })}`), 'TOKEN_EXPIRED', 'expired')
  for (const header of [
    undefined,
    '',
    'Basic dTpw',
    'Bearer',
    'Bearer ',
    `Bearer${good}`,
    good,
    `Token ${good}`,
  ]) {
    isProblem(t, await ask(api, header), 'UNAUTHENTICATED', `header ${header?.slice(0, 12)}`)
  }
  isProblem(t, await ask(api, `Bearer ${good} ${good}`), 'UNAUTHENTICATED', 'two tokens')
  await accepts(t, api, 'two spaces, as RFC 7235 allows', good, 'Bearer ')

  const latin = Buffer.from(
    `GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer gärt\xa0n\r\n\r\n`,
    'latin1',
  )
  t.equal((await sendRaw(api.url, latin)).status, 401, 'bytes beyond ASCII')
})

t.test('every API route refuses an invalid token, and no other route needs a token', async (t) => {
  const api = await startWith(t, {})
  const job = `/api/workflow/stages/2/jobs/${randomUUID()}`
  const routes = [
    ['GET', '/api/workflow/stages'],
    ['POST', '/api/workflow/stages/2/execute'],
    ['POST', '/api/workflow/stages/77/execute'],
    ['GET', `${job}/status`],
    ['GET', `${job}/events`],
    ['POST', `${job}/cancel`],
    ['POST', `${job}/tickets`],
    ['GET', `${job}/artifacts/a.json`],
  ] as const
  for (const [method, url] of routes) {
    isProblem(t, injected(await api.app.inject({ method, url })), 'UNAUTHENTICATED', url)
    const headers = { authorization: 'Bearer a.b.c' }
    isProblem(t, injected(await api.app.inject({ method, url, headers })), 'INVALID_TOKEN', url)
  }
  for (const url of ['/health/live', '/health/ready', '/openapi.json']) {
    t.not((await api.app.inject(url)).statusCode, 401, url)
  }
})

t.test('issuer and audience', async (t) => {
  const api = await startWith(t, { JWT_ISSUER: 'https://id.example', JWT_AUDIENCE: 'stagecast' })
  const right = { iss: 'https://id.example', aud: 'stagecast' }
  await accepts(t, api, 'both right', makeToken({ claims: right }))
  await accepts(
    t,
    api,
    'one of several audiences',
    makeToken({ claims: { ...right, aud: ['x', 'stagecast'] } }),
  )
  const wrong: Record<string, unknown>[] = [
    {},
    { ...right, iss: undefined },
    { ...right, aud: undefined },
    { ...right, iss: 'https://id.example.evil' },
    { ...right, iss: ['https://id.example'] },
    { ...right, aud: 'stagecast2' },
    { ...right, aud: [] },
    { ...right, aud: 7 },
  ]
  for (const claims of wrong) await refuses(t, api, JSON.stringify(claims), makeToken({ claims }))
})

t.test('with a public key', async (t) => {
  const pem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }))
  const rs = await startWith(t, { JWT_SECRET: '', JWT_PUBLIC_KEY: pem(rsa.publicKey) })
  const rs256 = { header: { alg: 'RS256' }, key: rsa.privateKey }
  await accepts(t, rs, 'RS256', makeToken(rs256))
  await refuses(t, rs, 'another RSA key', makeToken({ ...rs256, key: rsaTwo.privateKey }))
  await refuses(t, rs, 'the public key as a secret', makeToken({ key: pem(rsa.publicKey) }))
  await refuses(t, rs, 'the public key as a secret, trimmed', makeToken({ key: pem(rsa.publicKey).trim() }))
  await refuses(t, rs, 'RS512', makeToken({ header: { alg: 'RS512' }, key: rsa.privateKey }))
  await refuses(t, rs, 'ES256', makeToken({ header: { alg: 'ES256' }, key: ec.privateKey }))
  await refuses(t, rs, 'alg none', makeToken({ header: { alg: 'none' } }))
  await refuses(t, rs, 'a numeric sub', makeToken({ ...rs256, claims: { sub: 1 } }))

  const es = await startWith(t, { JWT_SECRET: '', JWT_PUBLIC_KEY: pem(ec.publicKey) })
  await accepts(t, es, 'ES256', makeToken({ header: { alg: 'ES256' }, key: ec.privateKey }))
  await refuses(t, es, 'RS256', makeToken(rs256))
})

t.test('with a key set', async (t) => {
  const both = serveKeys({ kid: 'one', key: rsa.publicKey }, { kid: 'two', key: ec.publicKey })
  const issuer = await startIssuer(t, both)
  const api = await startWith(t, { JWT_SECRET: '', JWT_JWKS_URL: issuer.url })
  const one = { header: { alg: 'RS256', kid: 'one' }, key: rsa.privateKey }
  const two = { header: { alg: 'ES256', kid: 'two' }, key: ec.privateKey }

  await issuer.stop()
  isProblem(t, await ask(api, `Bearer ${makeToken(one)}`), 'AUTH_UNAVAILABLE', 'the issuer is down')
  await refuses(t, api, 'a token that no key could save', makeToken())
  await issuer.start()
  await accepts(t, api, 'the first key, once the issuer is back', makeToken(one))
  await accepts(t, api, 'the second key', makeToken(two))
  t.equal(issuer.requests, 1, 'the keys are fetched once')
  await refuses(t, api, 'an unknown key id', makeToken({ ...one, header: { alg: 'RS256', kid: 'three' } }))
  await refuses(t, api, 'a key id of another type', makeToken({ ...one, header: { alg: 'RS256', kid: 7 } }))
  await refuses(t, api, 'the wrong key', makeToken({ ...one, key: rsaTwo.privateKey }))
  await refuses(
    t,
    api,
    'the key of another algorithm',
    makeToken({ ...one, header: { alg: 'RS256', kid: 'two' } }),
  )
  await refuses(t, api, 'HS256', makeToken({ header: { kid: 'one' } }))
  await refuses(t, api, 'crit', makeToken({ ...one, header: { ...one.header, crit: ['b64'], b64: true } }))

  await issuer.stop()
  await accepts(t, api, 'known keys while the issuer is down', makeToken(two))
})

t.test('a hostile or broken key set never becomes a 500', async (t) => {
  const jwk = rsa.publicKey.export({ format: 'jwk' })
  const answers: Record<string, { status?: number; body: string }> = {
    'an error page': { status: 500, body: '<h1>oops</h1>' },
    'no JSON': { body: 'keys?' },
    null: { body: 'null' },
    'no keys': { body: '{}' },
    'keys of no use': { body: '{"keys":[null,7,"x"]}' },
    'a key without substance': { body: '{"keys":[{"kty":"RSA","kid":"one"}]}' },
    'a key with nonsense': { body: JSON.stringify({ keys: [{ ...jwk, kid: 'one', n: '!', e: '!' }] }) },
    'a secret as key': { body: '{"keys":[{"kty":"oct","kid":"one","k":"c2VjcmV0"}]}' },
    'a private key': {
      body: JSON.stringify({ keys: [{ ...rsaTwo.privateKey.export({ format: 'jwk' }), kid: 'one' }] }),
    },
    'the same id twice': {
      body: JSON.stringify({
        keys: [
          { ...jwk, kid: 'one' },
          { ...jwk, kid: 'one' },
        ],
      }),
    },
  }
  const issuer = await startIssuer(t, (_request, response) => void response.end())
  const token = makeToken({ header: { alg: 'RS256', kid: 'one' }, key: rsa.privateKey })
  for (const [about, { status = 200, body }] of Object.entries(answers)) {
    issuer.answer = (_request, response) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    // Use a new API, because a valid key set is cached for a while.
    const api = await startWith(t, { JWT_SECRET: '', JWT_JWKS_URL: issuer.url })
    const answer = await ask(api, `Bearer ${token}`)
    t.ok([401, 503].includes(answer.status), `${about}: ${answer.status}`)
    isProblem(t, answer, answer.status === 401 ? 'INVALID_TOKEN' : 'AUTH_UNAVAILABLE', about)
  }
})

t.test('mock auth', async (t) => {
  const api = await startWith(t, { JWT_SECRET: '', ALLOW_MOCK_AUTH: 'true' })
  for (const header of [undefined, 'Bearer test-token', 'Bearer abc', 'Basic dTpw']) {
    t.equal((await ask(api, header)).status, 200, `header ${header}`)
    t.equal(await callerOf(api, header), 'user-dev-001', `header ${header}`)
  }
  await refuses(t, api, 'a JWT without any configured key', makeToken())
  await refuses(t, api, 'alg none', makeToken({ header: { alg: 'none' }, claims: { sub: 'user-dev-001' } }))

  const keyed = await startWith(t, { ALLOW_MOCK_AUTH: 'true' })
  t.equal(await callerOf(keyed, `Bearer ${makeToken()}`), 'alice', 'with a valid JWT the user is its sub')
  t.equal(await callerOf(keyed, 'Bearer test-token'), 'user-dev-001')
  const me = async (authorization: string) =>
    (await fetch(`${keyed.url}/api/workflow/me`, { headers: { authorization } })).json()
  t.same(await me('Bearer test-token'), {
    user_id: 'user-dev-001',
    admin: true,
    authentication: 'development',
  })
  t.same(await me(`Bearer ${makeToken()}`), { user_id: 'alice', admin: false, authentication: 'token' })
  await refuses(t, keyed, 'a JWT under another secret', makeToken({ key: `${JWT_SECRET}!` }))
  isProblem(t, await ask(keyed, `Bearer ${makeToken({ claims: { exp: 1 } })}`), 'TOKEN_EXPIRED')
})

const PATH = '/api/workflow/stages'

async function startWith(t: Test, overrides: Env): Promise<TestApi> {
  return startApi(t, await testEnv(t, overrides))
}

async function ask({ app }: TestApi, authorization: string | undefined) {
  return injected(
    await app.inject({ url: PATH, headers: authorization === undefined ? {} : { authorization } }),
  )
}

async function accepts(
  t: Test,
  api: TestApi,
  about: string,
  token: string,
  scheme = 'Bearer',
): Promise<void> {
  const { status, text } = await ask(api, `${scheme} ${token}`)
  t.equal(status, 200, `${about}: ${text.slice(0, 200)}`)
}

async function refuses(t: Test, api: TestApi, about: string, token: string): Promise<void> {
  isProblem(t, await ask(api, `Bearer ${token}`), 'INVALID_TOKEN', about)
}

/** The owner of a job that a request with this header queues. */
async function callerOf({ app }: TestApi, authorization: string | undefined): Promise<string> {
  const headers = authorization === undefined ? {} : { authorization }
  const payload = { workflow_id: randomUUID() }
  const queued = await app.inject({ method: 'POST', url: `${PATH}/3/execute`, headers, payload })
  return (await app.inject({ url: queued.json().urls.status, headers })).json().data.user_id
}
