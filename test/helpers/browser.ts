/** An installed Chromium, driven by tests. */

import { type Browser, chromium } from 'playwright-core'
import t from 'tap'
import { findProgram } from '../../dev/find-redis.mjs'

const executablePath = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  .map((name) => findProgram(name, process.env))
  .find(Boolean)
const missing = 'Chromium is not installed: install the package `chromium` with your package manager'
if (!executablePath && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(missing)

/** For `t.test(name, { skip: noBrowser })`. */
export const noBrowser: string | false = executablePath ? false : missing

let launched: Promise<Browser> | undefined

/** A headless browser, shared by all tests of a file and closed after the last one. */
export function launchBrowser(): Promise<Browser> {
  launched ??= launch()
  return launched
}

async function launch(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: executablePath as string,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  // Close it at the end of the file, whichever test launched it.
  t.teardown(() => browser.close())
  return browser
}
