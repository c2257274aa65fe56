import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import { manifest as discord } from './discord.ts'
import type { Output } from './output.ts'
import type { AppManifest } from './served.ts'
import { manifest as slack } from './slack.ts'
import { type ManifestFlags, manifest as teams } from './teams-manifest.ts'

const manifests: Readonly<Record<string, (config: Config, flags: ManifestFlags) => AppManifest>> = {
  slack,
  teams,
  discord,
}

/**
 * `hone manifest NAME`: the platform's app manifest on stdout, what to do with it on stderr. Where the platform wants a
 * package, it is written to a file.
 *
 * @throws HoneError INPUT for a channel that has none.
 */
export function printManifest(name: string, config: Config, output: Output, flags: ManifestFlags): void {
  const make = Object.hasOwn(manifests, name) ? manifests[name] : undefined
  if (!make)
    throw new HoneError(
      'INPUT',
      `There is no manifest for ${name}; there is one for ${Object.keys(manifests).join(', ')}.`,
    )
  const { manifest, next, file } = make(config, flags)
  if (file) writeFileSync(resolve(file.name), file.bytes)
  output.result(JSON.stringify(manifest, null, 2), { manifest, next, ...(file ? { file: file.name } : {}) })
  output.say(next)
}
