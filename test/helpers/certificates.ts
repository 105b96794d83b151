/** A certificate authority for one test, and valid and invalid certificates, made with openssl. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from './owner.ts'

export interface Certificate {
  key: Buffer
  cert: Buffer
  keyFile: string
  certFile: string
}

export interface Authority {
  /** For NODE_EXTRA_CA_CERTS and the like. */
  caFile: string
  dir: string
  /** A certificate for `name`, valid for `days` from now: negative ones have expired. */
  issue(name: string, days?: number): Certificate
}

export function authority(t: Owner): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'stagecast-tls-'))
  t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
  const at = (file: string) => join(dir, file)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const ca = ['-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=Test CA', '-days', '30']
  openssl('req', '-x509', ...newKey, ...ca)
  let serial = 0
  return {
    caFile: at('ca.pem'),
    dir,
    issue(name, days = 30) {
      serial += 1
      const [keyFile, certFile, request, extensions] = ['key', 'pem', 'csr', 'ext'].map((end) =>
        at(`${serial}.${end}`),
      ) as [string, string, string, string]
      const alternative = /^[\d.:]+$/.test(name) ? `IP:${name}` : `DNS:${name}`
      writeFileSync(extensions, `subjectAltName=${alternative}\n`)
      openssl('req', ...newKey, '-keyout', keyFile, '-out', request, '-subj', `/CN=${name}`)
      const signed = [
        '-in',
        request,
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
        '-set_serial',
        String(serial),
      ]
      openssl('x509', '-req', ...signed, '-extfile', extensions, '-out', certFile, '-days', String(days))
      return { key: readFileSync(keyFile), cert: readFileSync(certFile), keyFile, certFile }
    },
  }
}
