/** Bytes that are not valid HTTP. */
import type { BadRequest, Scene } from './request.ts'

export function badBytes({ token, mine }: Scene): BadRequest[] {
  const close = 'Connection: close\r\n'
  const auth = `Authorization: Bearer ${token}\r\n`
  const get = (headers: string, version = 'HTTP/1.1') => `GET ${mine}/status ${version}\r\n${headers}\r\n`
  const post = (headers: string, body: string) =>
    `POST /api/workflow/stages/2/execute HTTP/1.1\r\nHost: x\r\n${close}${auth}Content-Type: application/json\r\n${headers}\r\n${body}`
  const chunked = 'Transfer-Encoding: chunked\r\n'
  const unreadable: Record<string, string | Buffer> = {
    'words that are not HTTP': 'hello, is anybody there?\r\n\r\n',
    'a TLS greeting': Buffer.from('1603010200010001fc0303', 'hex'),
    'the greeting of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a Redis command': '*1\r\n$4\r\nPING\r\n',
    'a method nobody knows': 'BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n',
    'a method in lower case': 'get / HTTP/1.1\r\nHost: x\r\n\r\n',
    'a version from the future': get('Host: x\r\n', 'HTTP/7.3'),
    'no host': get(`${close}${auth}`),
    'a header without a name': get(`Host: x\r\n: y\r\n`),
    'a header without a colon': get('Host: x\r\nHello\r\n'),
    'a space in a header name': get('Host: x\r\nMy Header: y\r\n'),
    'a space before the colon': get('Host: x\r\nLength : 4\r\n'),
    'a NUL in a header': get('Host: x\r\nA: b\0c\r\n'),
    'a bare line feed in a header': get('Host: x\r\nA: b\nc\r\n'),
    'a space in the target': `GET ${mine}/st atus HTTP/1.1\r\nHost: x\r\n${close}\r\n`,
    'a NUL in the target': `GET /\0 HTTP/1.1\r\nHost: x\r\n${close}\r\n`,
    'two lengths': post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}}'),
    'a negative length': post('Content-Length: -1\r\n', '{}'),
    'a length in hex': post('Content-Length: 0x2\r\n', '{}'),
    'a length with a sign': post('Content-Length: +2\r\n', '{}'),
    'a length and chunks': post(`Content-Length: 2\r\n${chunked}`, '0\r\n\r\n'),
    'chunks twice': post(`${chunked}Transfer-Encoding: gzip\r\n`, '0\r\n\r\n'),
    'a chunk of no size': post(chunked, 'zz\r\n{}\r\n0\r\n\r\n'),
    'a chunk of a negative size': post(chunked, '-2\r\n{}\r\n0\r\n\r\n'),
    'a chunk longer than it says': post(chunked, '1\r\n{}\r\n0\r\n\r\n'),
    'a body that is not JSON': post('Content-Length: 2\r\n', '{]'),
  }
  return [
    ...Object.entries(unreadable).map(([about, bytes]) => ({
      about: `bytes: ${about}`,
      code: 'BAD_REQUEST' as const,
      bytes,
    })),
    {
      about: 'bytes: headers of 20 kB',
      code: 'HEADERS_TOO_LARGE',
      bytes: get(`Host: x\r\nA: ${'x'.repeat(20_000)}\r\n`),
    },
    {
      about: 'bytes: a thousand headers',
      code: 'HEADERS_TOO_LARGE',
      bytes: get(`Host: x\r\n${'A: bcdefghijklmnopqrs\r\n'.repeat(1000)}`),
    },
    {
      about: 'bytes: a target of 20 kB',
      code: 'HEADERS_TOO_LARGE',
      bytes: `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    },
  ]
}
