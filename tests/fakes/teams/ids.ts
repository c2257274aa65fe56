/** The bot's own app id. */
export const appId = '11111111-2222-4333-8444-555555555555'
/** The token that the bot calls the connector with. */
export const outboundToken = 'the-bots-own'
