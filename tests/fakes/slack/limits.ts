/** Calls a minute that Slack's tiers promise at least. */
export const tiers = { 1: 1, 2: 20, 3: 50, 4: 100, status: 600 } as const
export type Tier = keyof typeof tiers

/**
 * Counts the calls of the last minute, per key. Stricter than Slack, which lets bursts through: what passes here
 * passes there. Answers the seconds to wait (Retry-After), or 0.
 */
export function createLimiter(now: () => number): (key: string, perMinute: number) => number {
  const calls = new Map<string, number[]>()
  return function limited(key, perMinute) {
    const time = now()
    const recent = (calls.get(key) ?? []).filter((at) => at > time - 60_000)
    calls.set(key, recent)
    if (recent.length >= perMinute) return Math.max(1, Math.ceil(((recent[0] as number) + 60_000 - time) / 1000))
    recent.push(time)
    return 0
  }
}
