/**
 * Makes the console's pages from their sources: `node packages/console/bundle.mjs <folder>`, as `npm run build` does;
 * and, in a working copy, for whoever asks for them first. Needs the development dependencies.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import { build } from 'esbuild'

const SOURCES = dirname(fileURLToPath(import.meta.url))
const ROOT = dirname(dirname(SOURCES))

/**
 * Writes the pages into `folder` and answers it. All names but that of the page carry a hash of the content, so
 * several processes may write side by side.
 *
 * @param {string} [folder]
 * @param {{ compress?: boolean }} [options] `compress`: write .br and .gz beside scripts and styles, for serving
 */
export async function bundleConsole(folder = join(ROOT, '.stagecast', 'console'), { compress = false } = {}) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { console: join(SOURCES, 'main.tsx'), style: join(SOURCES, 'style', 'index.css') },
    outdir: folder,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    // Named, or one in some folder above would have a say.
    tsconfig: join(SOURCES, 'tsconfig.json'),
    write: false,
    legalComments: 'none',
    logLevel: 'silent',
  })
  await mkdir(folder, { recursive: true })
  let page = await readFile(join(SOURCES, 'index.html'), 'utf8')
  for (const { path, contents } of outputFiles) {
    const name = basename(path)
    page = page.replace(name.replace(/-[A-Z0-9]{8}\./, '.'), name)
    await put(join(folder, name), contents)
    // Only what has a hash in its name: a compressed page could outlive the page.
    if (compress) {
      await put(join(folder, `${name}.br`), await promisify(brotliCompress)(contents))
      await put(join(folder, `${name}.gz`), await promisify(gzip)(contents))
    }
  }
  await put(join(folder, 'icon.svg'), await readFile(join(SOURCES, 'icon.svg')))
  // Last: it names the others.
  await put(join(folder, 'index.html'), Buffer.from(page))
  return folder

  /** @param {string} path @param {Uint8Array} contents */
  async function put(path, contents) {
    // Never a half-written file under the name that is served.
    await writeFile(`${path}.${process.pid}`, contents)
    await rename(`${path}.${process.pid}`, path)
  }
}

/** @type {Promise<string> | undefined} */
let bundled

/** The folder with the pages of this working copy, bundled once a process; after a failure it is tried again. */
export function consoleOfWorkingCopy() {
  bundled ??= bundleConsole().catch((error) => {
    bundled = undefined
    throw error
  })
  return bundled
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]
  if (!folder) throw new Error('Name the folder: node packages/console/bundle.mjs dist/console')
  await bundleConsole(folder, { compress: true })
}
