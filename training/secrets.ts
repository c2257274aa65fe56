/**
 * What must never become training data, as far as a pattern can tell. Sources: the token formats that the vendors
 * document. E-mail addresses and phone numbers are no secrets: a handbook's own contact data is what people ask for.
 */
const patterns: Readonly<Record<string, RegExp>> = {
  'private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  'AWS key': /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  'GitHub token': /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})\b/,
  'Slack token': /\bxox[abposr]-[A-Za-z0-9-]{10,}/,
  'Discord token': /\b[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,}/,
  'API key': /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{20,}/,
  'Google key': /\bAIza[0-9A-Za-z_-]{35}\b/,
  'JSON web token': /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  'payment card': /\b(?:\d[ -]?){13,19}\b/,
  password: /\b(?:password|passwort|passwd|pwd)\s*(?:is|ist|:|=)\s*\S{6,}/i,
}

/** The kind of secret in the text, or nothing. A run of digits counts as a card only if its check digit is right. */
export function secretIn(text: string): string | undefined {
  for (const [kind, pattern] of Object.entries(patterns)) {
    const hit = pattern.exec(text)
    if (hit && (kind !== 'payment card' || luhn(hit[0]))) return kind
  }
  return undefined
}

/** Luhn check (ISO/IEC 7812-1, annex B). */
function luhn(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return digits.length >= 13 && sum % 10 === 0
}
