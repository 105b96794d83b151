/** Invalid tokens. */
import { JWT_SECRET } from '../helpers/app.ts'
import { inOneHour, makeToken } from '../helpers/tokens.ts'
import type { BadRequest, Scene } from './request.ts'

export function badTokens({ token, mine }: Scene): BadRequest[] {
  const [head = '', body = '', mark = ''] = token.split('.')
  const hour = inOneHour()
  const invalid: Record<string, string> = {
    'a word': 'garbage',
    'dots alone': '...',
    'no signature': `${head}.${body}`,
    'an empty signature': `${head}.${body}.`,
    'a signature cut short': token.slice(0, -5),
    'a signature with a letter more': `${token}A`,
    'a fourth part': `${token}.${mark}`,
    'a header that is not JSON': `bm90IGpzb24.${body}.${mark}`,
    'a header that is null': `bnVsbA.${body}.${mark}`,
    'the payload of another token': `${head}.${makeToken({ claims: { sub: 'bob' } }).split('.')[1]}.${mark}`,
    'another secret': makeToken({ key: `${JWT_SECRET}?` }),
    'alg none': makeToken({ header: { alg: 'none' } }),
    'alg NONE': makeToken({ header: { alg: 'NONE' } }),
    'alg HS512': makeToken({ header: { alg: 'HS512' } }),
    'no alg': makeToken({ header: { alg: undefined } }),
    'alg a list': makeToken({ header: { alg: ['HS256'] } }),
    'no exp': makeToken({ claims: { exp: undefined } }),
    'exp a text': makeToken({ claims: { exp: String(hour) } }),
    'exp null': makeToken({ claims: { exp: null } }),
    'exp a list': makeToken({ claims: { exp: [hour] } }),
    'exp beyond all numbers': makeToken({ payload: `{"sub":"alice","exp":1e999}` }),
    'nbf in an hour': makeToken({ claims: { nbf: hour } }),
    'nbf a text': makeToken({ claims: { nbf: 'now' } }),
    'iat an object': makeToken({ claims: { iat: {} } }),
    'no sub': makeToken({ claims: { sub: undefined } }),
    'an empty sub': makeToken({ claims: { sub: '' } }),
    'sub a number': makeToken({ claims: { sub: 1 } }),
    'sub true': makeToken({ claims: { sub: true } }),
    'sub an object': makeToken({ claims: { sub: { name: 'alice' } } }),
    'payload a list': makeToken({ payload: '[]' }),
    'payload a number': makeToken({ payload: '7' }),
    'payload no JSON': makeToken({ payload: '{sub:alice}' }),
    'payload cut off': makeToken({ payload: '{"sub":"alice"' }),
    'a crit nobody knows': makeToken({ header: { crit: ['b64'], b64: false } }),
    'six thousand letters': `${'a'.repeat(2000)}.${'b'.repeat(2000)}.${'c'.repeat(2000)}`,
  }
  const absent: Record<string, string> = {
    'the scheme Basic': 'Basic YWxpY2U6c2VjcmV0',
    'the scheme Token': `Token ${token}`,
    'no scheme': token,
    'a scheme and nothing': 'Bearer',
    'no space behind the scheme': `Bearer${token}`,
    'two tokens': `Bearer ${token} ${token}`,
    'a comma between two': `Bearer ${token}, Bearer ${token}`,
    'an empty header': '',
  }
  const path = `${mine}/status`
  return [
    ...Object.entries(invalid).map(([about, value]) => ({
      about: `token: ${about}`,
      code: 'INVALID_TOKEN' as const,
      path,
      headers: { authorization: `Bearer ${value}` },
    })),
    ...Object.entries(absent).map(([about, authorization]) => ({
      about: `token: ${about}`,
      // Two headers are joined by a comma, and the joined text is not a valid token.
      code: 'UNAUTHENTICATED' as const,
      path,
      headers: { authorization },
    })),
    { about: 'token: none at all', code: 'UNAUTHENTICATED', path },
    {
      about: 'token: expired',
      code: 'TOKEN_EXPIRED',
      path,
      headers: { authorization: `Bearer ${makeToken({ claims: { exp: 1 } })}` },
    },
    { about: 'token: in the query', code: 'UNAUTHENTICATED', path: `${path}?access_token=${token}` },
    { about: 'token: in a cookie', code: 'UNAUTHENTICATED', path, headers: { cookie: `token=${token}` } },
    {
      about: 'token: of somebody else',
      code: 'JOB_NOT_FOUND',
      path,
      headers: { authorization: `Bearer ${makeToken({ claims: { sub: 'mallory' } })}` },
    },
    {
      about: 'token: a sub that is alice to a careless eye',
      code: 'JOB_NOT_FOUND',
      path,
      headers: { authorization: `Bearer ${makeToken({ claims: { sub: 'alice ' } })}` },
    },
  ]
}
