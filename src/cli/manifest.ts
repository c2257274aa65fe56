import type { Config } from '../config.ts'
import { HoneError } from '../errors.ts'
import { manifest as discord } from './discord.ts'
import type { Output } from './output.ts'
import type { AppManifest } from './served.ts'

const manifests: Readonly<Record<string, (config: Config) => AppManifest>> = { discord }

/**
 * `hone manifest NAME`: the platform's app manifest on stdout, what to do with it on stderr.
 *
 * @throws HoneError INPUT for a channel that has none.
 */
export function printManifest(name: string, config: Config, output: Output): void {
  const make = Object.hasOwn(manifests, name) ? manifests[name] : undefined
  if (!make)
    throw new HoneError(
      'INPUT',
      `There is no manifest for ${name}; there is one for ${Object.keys(manifests).join(', ')}.`,
    )
  const { manifest, next } = make(config)
  output.result(JSON.stringify(manifest, null, 2), { manifest, next })
  output.say(next)
}
