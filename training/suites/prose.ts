/**
 * Plain paragraphs on things that no feedback was about: their perplexity shows what a version forgot. Written for
 * Hone; ordinary handbook English, because that is what bots like these are asked about.
 */
export const proseSuite: readonly string[] = [
  'The front door opens at seven in the morning. Visitors sign the book at the desk and wear a badge while they are in the building. Please walk your guest back to the door when the meeting is over.',
  'Fill the kettle from the filtered tap and switch it off at the wall in the evening. If the coffee machine shows a red light, empty the tray and wait for a minute before you try again.',
  'Send your expenses before the end of the month. Add a photo of each receipt and one line that says what it was for. You will see the money with your next salary.',
  'Everyone may work from home two days a week. Tell your team which days you choose, and keep the calendar up to date so that people know where to find you.',
  'If the fire alarm rings, leave your things, take the nearest stairs and meet the others at the large tree behind the car park. Do not use the lift. Wait until someone has counted you.',
  'A new laptop is ordered on the internal page. It takes about a week. Bring the old one back in its bag, with the charger, so that somebody else can use it.',
  'The garden is open to all guests until it gets dark. Dogs are welcome on a lead. Please keep to the paths, because the beds were planted a short time ago.',
  'Call the doctor if you do not feel well, and let your manager know before nine. From the third day on we need a note. Get better first; the work can wait.',
  'The training room holds twelve people. Book it for no longer than half a day, put the chairs back as you found them, and wipe the board when you leave.',
  'Parcels are kept behind the counter for ten days. You can ask a friend to collect one for you if they bring your name and the number on the card.',
  'Our trains run every half hour on weekdays and once an hour on Sundays. Tickets are sold at the machine on the platform. Children under six travel free with an adult.',
  'To change your password, open the settings, choose security and type the old one once more. Use a long sentence that you can remember rather than a short word with signs in it.',
  'We answer letters within five working days. If yours is urgent, write that in the first line and leave a number where we can reach you during the day.',
  'The library lends books for four weeks. You may keep one longer if nobody else has asked for it. Lost books are replaced at the price printed on the cover.',
  'Before you paint the wall, take down the pictures, cover the floor and open a window. Stir the paint well. Two thin coats look better than a thick one.',
  'Bread keeps longest in a dry box. Slice it as you need it. What is left over on Friday goes to the farm at the end of the road, where the hens are glad of it.',
  'The bicycle shed has a code that changes every spring. Ask at reception. Please do not leave a bicycle there over the winter without a label with your name.',
  'A good report is short. Say what happened, what you did about it and what should be done next. Put long tables at the end, where those who need them will look.',
  'Rubbish is collected on Tuesday. Paper goes into the blue bin, glass into the green one, and everything else into the grey one near the gate.',
  'When a customer is angry, listen to the end before you speak. Repeat what you have understood, say what you can do today, and keep the promise you make.',
]
