import { manifestLink, slackManifest } from '../../adapters/slack/manifest.ts'
import type { Config } from '../config.ts'
import type { AppManifest } from './channels.ts'

/** The manifest of the Slack app that these settings need, and the link that makes it. */
export function manifest({ slack }: Config): AppManifest {
  const made = slackManifest({
    command: slack.command,
    reactions: slack.reactions,
    files: true,
    userGroups: slack.admins.some((id) => id.startsWith('S')),
    ...(slack.signingSecret && slack.url ? { url: slack.url } : {}),
  })
  return { manifest: made, next: `Make the app from it: ${manifestLink(made)}` }
}
