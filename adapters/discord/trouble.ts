import { DiscordAPIError, HTTPError, RESTJSONErrorCodes } from 'discord.js'

/**
 * What a refused request means: `deleted`: the message is gone; `closed`: the bot may not or can't write there;
 * `expired`: the interaction's token is over; `refused`: Discord doesn't take it, and won't; `passing`: worth another try.
 */
export type Trouble = 'deleted' | 'closed' | 'expired' | 'refused' | 'passing'

const meanings: Readonly<Record<string, Trouble>> = {
  [RESTJSONErrorCodes.UnknownMessage]: 'deleted',
  [RESTJSONErrorCodes.UnknownChannel]: 'closed',
  [RESTJSONErrorCodes.UnknownGuild]: 'closed',
  [RESTJSONErrorCodes.MissingAccess]: 'closed',
  [RESTJSONErrorCodes.MissingPermissions]: 'closed',
  [RESTJSONErrorCodes.CannotSendMessagesToThisUser]: 'closed',
  [RESTJSONErrorCodes.ThreadLocked]: 'closed',
  [RESTJSONErrorCodes.UnknownWebhook]: 'expired',
  [RESTJSONErrorCodes.UnknownInteraction]: 'expired',
  [RESTJSONErrorCodes.InvalidWebhookToken]: 'expired',
}

/** What went wrong, in the five ways that make a difference. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof DiscordAPIError) return meanings[error.code] ?? (error.status === 403 ? 'closed' : 'refused')
  // 5xx after discord.js has tried four times, and everything that happens on the way: the network.
  if (error instanceof HTTPError && error.status < 500) return 'refused'
  return 'passing'
}
