import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { teamsManifest } from '../../adapters/teams/manifest.ts'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import { packageRoot } from './model.ts'
import type { AppManifest } from './served.ts'

export interface ManifestFlags {
  readonly appId?: string
  readonly out?: string
  readonly name?: string
  readonly website?: string
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The package of the Teams app: manifest and icons in a zip.
 *
 * @throws HoneError INPUT without an app id, or with a website that is not https.
 */
export function manifest({ teams }: Config, flags: ManifestFlags): AppManifest {
  const appId = flags.appId ?? teams.appId
  if (!guid.test(appId))
    throw new HoneError('INPUT', 'Which app? Give the id of the bot’s registration: --app-id xxxxxxxx-xxxx-….')
  const website = flags.website ?? 'https://example.com'
  if (!/^https:\/\/\S+$/i.test(website))
    throw new HoneError('INPUT', `--website is "${website}"; Teams wants https://….`)
  const made = teamsManifest({ appId, website, ...(flags.name ? { name: flags.name } : {}) })
  const icon = (name: string): Uint8Array => readFileSync(join(packageRoot, 'adapters', 'teams', 'assets', name))
  const name = flags.out ?? 'hone-teams.zip'
  const bytes = zipSync({
    'manifest.json': strToU8(`${JSON.stringify(made, null, 2)}\n`),
    'color.png': icon('color.png'),
    'outline.png': icon('outline.png'),
  })
  const own = flags.website ? '' : ' Name your own site with --website before you publish it.'
  const next = `${name} is written. In Teams: Apps → Manage your apps → Upload an app.${own}`
  return { manifest: made, next, file: { name, bytes } }
}
