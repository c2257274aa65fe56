/** What the app package says about the bot. */
export interface ManifestOptions {
  /** The app id of the bot's registration in Entra. */
  readonly appId: string
  /** Where people find out about the bot; also its privacy and terms pages, until you have better ones. */
  readonly website: string
  readonly name?: string
}

const schema = '1.28'
const everywhere = ['personal', 'team', 'groupChat']

/** Prompt starters: what a tap on them says. */
const starters = [
  ['What can you do?', 'What I answer from, and what I can’t', 'What can you help me with?'],
  ['Status', 'What serves, and what was learned', 'hone status'],
  ['Why?', 'Why the newest reply says what it says', 'hone why'],
  ['Privacy', 'What is kept, and what is trained on', 'hone privacy'],
  ['Commands', 'Everything that can be asked for', 'hone help'],
] as const

/**
 * The manifest of the Teams app: bot, prompt starters, and *Suggest a better answer* in the menu of a message.
 *
 * @example teamsManifest({ appId: '…', website: 'https://example.com' })
 */
export function teamsManifest({ appId, website, name = 'Hone' }: ManifestOptions): object {
  return {
    $schema: `https://developer.microsoft.com/json-schemas/teams/v${schema}/MicrosoftTeams.schema.json`,
    manifestVersion: schema,
    version: '1.0.0',
    id: appId,
    developer: { name: name.slice(0, 32), websiteUrl: website, privacyUrl: website, termsOfUseUrl: website },
    name: { short: name.slice(0, 30), full: `${name}, a bot that learns from thumbs`.slice(0, 100) },
    description: {
      short: 'Answers from your documents and learns from thumbs.',
      full: 'Answers questions from your own documents with a model on your own machine, names its sources, and learns from the thumbs under its replies. Say “hone help” for the commands.',
    },
    icons: { color: 'color.png', outline: 'outline.png' },
    accentColor: '#F7F4EE',
    bots: [
      {
        botId: appId,
        scopes: everywhere,
        supportsFiles: false,
        isNotificationOnly: false,
        commandLists: [{ scopes: everywhere, commands: starters.map(starter) }],
      },
    ],
    composeExtensions: [{ botId: appId, commands: [betterAnswer] }],
    permissions: ['identity', 'messageTeamMembers'],
    validDomains: [],
  }
}

function starter([title, description, prompt]: readonly [string, string, string]): object {
  return { title, description, type: 'prompt', prompt }
}

const betterAnswer = {
  id: 'honeBetterAnswer',
  type: 'action',
  title: 'Suggest a better answer',
  description: 'Say what a reply should have said, or change your vote',
  context: ['message'],
  fetchTask: true,
}
