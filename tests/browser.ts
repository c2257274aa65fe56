import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]

/** The browser that tests of the page run in; absent when this machine has none of the known ones. */
export const browserPath: string | undefined = places.find((path) => existsSync(path))

export interface BrowserOptions {
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly dark?: boolean
  readonly touch?: boolean
}

/** Starts the browser with a profile of its own that reaches nothing but loopback. */
export function openBrowser(options: BrowserOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), 'hone-browser-')), {
    executablePath: browserPath ?? '',
    headless: true,
    viewport: { ...(options.viewport ?? { width: 1280, height: 800 }) },
    colorScheme: options.dark ? 'dark' : 'light',
    hasTouch: options.touch ?? false,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
