// Runs a command of Hone:  npm run hone -- versions
// Plain JavaScript for any Node: before anything is set up, npm runs the machine's own, which may not read TypeScript.
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('Hone is not set up in this folder yet. Run `npm start` first; it does that.\n')
  process.exit(1)
}
await import('../src/main.ts')
