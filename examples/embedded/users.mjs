/** The users. Yours are in a database; these two are for trying the example. */
import { scryptSync, timingSafeEqual } from 'node:crypto'

const SALT = 'example'
const hash = (/** @type {string} */ password) => scryptSync(password, SALT, 32)

/** @type {Map<string, { password: Buffer, admin: boolean }>} */
const accounts = new Map([
  ['ann', { password: hash('correct horse'), admin: true }],
  ['bob', { password: hash('battery staple'), admin: false }],
])

/** The user's data that requests may see. */
export const users = new Map([...accounts].map(([name, { admin }]) => [name, { admin }]))

/**
 * @param {{ name?: string, password?: string }} form
 * @returns {string | null} the name, if the password is right
 */
export function login({ name = '', password = '' } = {}) {
  const account = accounts.get(name)
  return account && timingSafeEqual(account.password, hash(password)) ? name : null
}

/**
 * @param {{ name: string } | null} user
 * @param {string} [fault]
 */
export function page(user, fault = '') {
  const inside = user
    ? `<p>Signed in as ${user.name}. <a href="/research/console/">Research</a></p>
       <form method="post" action="/logout"><button>Sign out</button></form>`
    : `<p role="alert">${fault}</p>
       <form method="post" action="/login">
         <label>Name <input name="name" autocomplete="username"></label>
         <label>Password <input name="password" type="password" autocomplete="current-password"></label>
         <button>Sign in</button>
       </form>`
  return `<!doctype html><html lang="en"><title>Our application</title><h1>Our application</h1>${inside}</html>`
}
