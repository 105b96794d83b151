/** An installed Chromium, driven by tests. */

import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { Test } from 'tap'
import { findProgram } from '../../embedded/find-redis.mjs'

const executablePath = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  .map((name) => findProgram(name, process.env))
  .find(Boolean)
const missing = 'there is no Chromium here: install the package `chromium` of your system'
if (!executablePath && process.env.REQUIRE_ALL_TESTS === '1') throw new Error(missing)

/** For `t.test(name, { skip: noBrowser })`. */
export const noBrowser: string | false = executablePath ? false : missing

/** A browser without a window, closed with the test. */
export async function launchBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: executablePath as string,
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
  t.teardown(() => browser.close())
  return browser
}
