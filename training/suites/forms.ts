/** Text in other forms than plain English: perplexity on them shows what a version forgot besides prose. */
export const formsSuite: readonly string[] = [
  '# Moving in\n\n1. Collect the keys at the desk.\n2. Read the meters and write the numbers down.\n3. Hand in the form within 14 days.',
  '| day | opens | closes |\n|---|---|---|\n| Monday | 8:30 | 17:00 |\n| Saturday | 10:00 | 13:30 |',
  '- Soup of the day\n- Rice with vegetables\n- Apple pie, while it lasts\n\nPrices are on the board.',
  '{"name": "Desk lamp", "price": 34.5, "in_stock": true, "colours": ["white", "green"]}',
  'function add(a, b) {\n  return a + b\n}\n\nconst total = [3, 4, 5].reduce(add, 0)',
  'Dear Ms Olsen,\n\nthank you for your letter of 3 May. The lamp was sent today and should be with you by Friday.\n\nKind regards\nThe service team',
  'Le bureau est ouvert du lundi au vendredi. En cas de question, appelez la réception.',
  'Die Bibliothek hat am Samstag geschlossen. Bücher können in den Kasten neben der Tür gelegt werden.',
]
