/**
 * Bundles the console: `node packages/console/bundle.mjs <folder>`, as `npm run build` does. In a working copy it runs at
 * the first request for the pages. It needs the development dependencies.
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
 * Writes the pages into `folder` and returns it. Every name except the page's contains a hash of the content, so several
 * processes may write at once.
 *
 * @param {string} [folder]
 * @param {{ compress?: boolean }} [options] `compress`: also write .br and .gz files of scripts and styles
 */
export async function bundleConsole(folder = join(ROOT, '.stagecast', 'console'), { compress = false } = {}) {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { console: join(SOURCES, 'main.tsx'), style: join(SOURCES, 'style', 'index.css') },
    outdir: folder,
    entryNames: '[name]-[hash]',
    // Parts that are loaded when they are needed.
    chunkNames: '[name]-[hash]',
    splitting: true,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    // Set explicitly, so that esbuild does not use one from a parent folder.
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
    // Compress only files with a hash in their name: a compressed page could outlive the page.
    if (compress) {
      await put(join(folder, `${name}.br`), await promisify(brotliCompress)(contents))
      await put(join(folder, `${name}.gz`), await promisify(gzip)(contents))
    }
  }
  await put(join(folder, 'icon.svg'), await readFile(join(SOURCES, 'icon.svg')))
  // Last, because it refers to the others.
  await put(join(folder, 'index.html'), Buffer.from(page))
  return folder

  /** @param {string} path @param {Uint8Array} contents */
  async function put(path, contents) {
    // Never serve a half-written file.
    await writeFile(`${path}.${process.pid}`, contents)
    await rename(`${path}.${process.pid}`, path)
  }
}

/** @type {Promise<string> | undefined} */
let bundled

/** The folder with this working copy's pages, bundled once per process; retried after a failure. */
export function consoleOfWorkingCopy() {
  bundled ??= bundleConsole().catch((error) => {
    bundled = undefined
    throw error
  })
  return bundled
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2]
  if (!folder) throw new Error('Pass the folder: node packages/console/bundle.mjs dist/console')
  await bundleConsole(folder, { compress: true })
}
