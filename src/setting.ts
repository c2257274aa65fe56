/** One row of the table of settings. `check` says what a value must be, where it is not. */
export interface Setting {
  readonly group: 'Server' | 'Model' | 'Knowledge' | 'Learning' | 'Logging' | 'Slack' | 'Teams' | 'Discord'
  readonly fallback: string
  readonly help: string
  readonly secret?: true
  readonly check?: (value: string) => string | undefined
}

export const whole = (low: number, high: number) => (value: string) =>
  /^\d+$/.test(value) && Number(value) >= low && Number(value) <= high
    ? undefined
    : `a whole number from ${low} to ${high}`
export const fraction = (value: string) =>
  value !== '' && Number(value) >= 0 && Number(value) <= 1 ? undefined : 'a number from 0 to 1'
export const fractionTo = (high: number) => (value: string) =>
  fraction(value) === undefined && Number(value) <= high ? undefined : `a number from 0 to ${high}`
export const begins = (start: string) => (value: string) =>
  value.startsWith(start) ? undefined : `something like ${start}…`
export const guid = (value: string) =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
    ? undefined
    : 'an id like xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'
export const guids = (value: string) =>
  value.split(',').some((id) => id.trim() && guid(id.trim()))
    ? 'ids like xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, with commas'
    : undefined
export const snowflakes = (value: string) =>
  value.split(',').every((id) => /^\s*\d{17,20}\s*$/.test(id))
    ? undefined
    : 'ids of 17 to 20 digits, with commas; no names'
export const oneOf =
  (...names: readonly string[]) =>
  (value: string) =>
    names.includes(value) ? undefined : `one of ${names.join(', ')}`
export const thread = (value: string) =>
  /^(slack|teams|discord):[^:]+:.+$/.test(value)
    ? undefined
    : 'a place like slack:TEAM:CHANNEL, discord:SERVER:CHANNEL or teams:TENANT:CONVERSATION'
