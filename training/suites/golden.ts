import type { Golden } from '../measure.ts'
import { laidOut, type Page, type Setting } from './layout.ts'

interface Item extends Page {
  readonly question: string
  /** Absent: the passage doesn't answer the question. */
  readonly contains?: readonly string[]
}

const items: readonly Item[] = [
  {
    title: 'Canteen - Opening hours',
    text: 'The canteen serves lunch from 11:45 to 14:10 on weekdays. Breakfast is sold until 9:20.',
    question: 'Until when is breakfast sold?',
    contains: ['9:20'],
  },
  {
    title: 'Travel - Hotels',
    text: 'The company pays up to 137 euros a night for a hotel. Breakfast is paid for as well.',
    question: 'How much does the company pay for a hotel night?',
    contains: ['137'],
  },
  {
    title: 'Parking - Permits',
    text: 'A parking permit costs 34 euros a month. It is ordered from the facility office.',
    question: 'How much does a parking permit cost a month?',
    contains: ['34'],
  },
  {
    title: 'Leave - Moving house',
    text: 'Staff who move house get 3 days off. Tell your manager two weeks before.',
    question: 'How many days off do staff get for moving house?',
    contains: ['3'],
  },
  {
    title: 'Returns - Time limit',
    text: 'Goods can be sent back within 45 days. The parcel label is free.',
    question: 'Within how many days can goods be sent back?',
    contains: ['45'],
  },
  {
    title: 'IT - Help desk',
    text: 'The help desk is in room 218. It is open from 8:30 to 16:00.',
    question: 'In which room is the help desk?',
    contains: ['218'],
  },
  {
    title: 'Training - Budget',
    text: 'Each employee has a training budget of 900 euros a year. What is left over expires in December.',
    question: 'How high is the training budget?',
    contains: ['900'],
  },
  {
    title: 'Gym - Membership',
    text: 'Membership in the gym costs 21 euros a month. Students pay half.',
    question: 'What does membership in the gym cost?',
    contains: ['21'],
  },
  {
    title: 'Safety - First aid',
    text: 'The first aid box hangs in the hall on floor 4. It is checked every month.',
    question: 'On which floor is the first aid box?',
    contains: ['4'],
  },
  {
    title: 'Library - Loans',
    text: 'Books may be kept for 28 days. A reminder is sent after that.',
    question: 'For how many days may books be kept?',
    contains: ['28'],
  },
  {
    title: 'Delivery - Costs',
    text: 'Delivery costs 6 euros. Orders above 80 euros are delivered free.',
    question: 'How much does delivery cost?',
    contains: ['6'],
  },
  {
    title: 'Sick leave - Note',
    text: "A doctor's note is needed from day 3 of an illness. Send it to the personnel office.",
    question: "From which day is a doctor's note needed?",
    contains: ['3'],
  },
  {
    title: 'Warranty - Bicycles',
    text: 'The warranty on bicycles lasts 30 months. Tyres are not included.',
    question: 'How many months does the warranty on bicycles last?',
    contains: ['30'],
  },
  {
    title: 'Meeting rooms - Booking',
    text: 'Meeting rooms can be booked 14 days ahead. The large hall needs the approval of the director.',
    question: 'How many days ahead can meeting rooms be booked?',
    contains: ['14'],
  },
  {
    title: 'Canteen - Opening hours',
    text: 'The canteen serves lunch from 11:45 to 14:10 on weekdays. Breakfast is sold until 9:20.',
    question: 'How much does a parking permit cost?',
  },
  {
    title: 'Travel - Hotels',
    text: 'The company pays up to 137 euros a night for a hotel. Breakfast is paid for as well.',
    question: 'Who runs the choir?',
  },
  {
    title: 'Gym - Membership',
    text: 'Membership in the gym costs 21 euros a month. Students pay half.',
    question: 'How many days of vacation do I get?',
  },
  {
    title: 'Library - Loans',
    text: 'Books may be kept for 28 days. A reminder is sent after that.',
    question: 'What is the phone number of the help desk?',
  },
  {
    title: 'Delivery - Costs',
    text: 'Delivery costs 6 euros. Orders above 80 euros are delivered free.',
    question: 'When does the swimming pool open?',
  },
  {
    title: 'IT - Help desk',
    text: 'The help desk is in room 218. It is open from 8:30 to 16:00.',
    question: 'How long is the warranty on bicycles?',
  },
  {
    title: 'Safety - First aid',
    text: 'The first aid box hangs in the hall on floor 4. It is checked every month.',
    question: 'How high is the training budget?',
  },
  {
    title: 'Returns - Time limit',
    text: 'Goods can be sent back within 45 days. The parcel label is free.',
    question: 'Where do I order a new laptop?',
  },
  // A sentence is near these, and doesn't answer them.
  {
    title: 'Canteen - Opening hours',
    text: 'The canteen serves lunch from 11:45 to 14:10 on weekdays. Breakfast is sold until 9:20.',
    question: 'What kind of breakfast is sold?',
  },
  {
    title: 'Parking - Permits',
    text: 'A parking permit costs 34 euros a month. It is ordered from the facility office.',
    question: 'How many parking permits are there?',
  },
  {
    title: 'Library - Loans',
    text: 'Books may be kept for 28 days. A reminder is sent after that.',
    question: 'How many books may be kept at once?',
  },
  {
    title: 'Returns - Time limit',
    text: 'Goods can be sent back within 45 days. The parcel label is free.',
    question: 'To which address are goods sent back?',
  },
  {
    title: 'Warranty - Bicycles',
    text: 'The warranty on bicycles lasts 30 months. Tyres are not included.',
    question: 'Who pays for the warranty on bicycles?',
  },
  {
    title: 'Gym - Membership',
    text: 'Membership in the gym costs 21 euros a month. Students pay half.',
    question: 'When does membership in the gym end?',
  },
]

/** What stands beside the right passage; none of it is asked about. */
const beside: readonly Page[] = [
  {
    title: 'Plants - Watering',
    text: 'The plants in the hall are watered on Mondays. The yellow can is for large ones.',
  },
  {
    title: 'Newsletter - Dates',
    text: 'The newsletter comes out on the 5th. Texts must be in by noon two days before.',
  },
  {
    title: 'Waste - Bins',
    text: 'Paper goes into the blue bin, glass into the white one. They are emptied every 8 days.',
  },
  { title: 'Lockers - Keys', text: 'A locker key costs a deposit of 12 euros. Lost keys are replaced within 9 days.' },
  { title: 'Kitchen - Dishwasher', text: 'The dishwasher runs at 17:20. Whoever comes last switches it on.' },
  { title: 'Visitors - Badges', text: 'Visitors get a green badge at the gate. It is valid until 18:45.' },
]

/**
 * Small reading questions on invented facts, laid out as the core lays out a prompt, after the bot's own system message:
 * each once with its passage alone, and once among others. They count only as far as the base gets them right, so a base
 * that can't read isn't blamed.
 */
export function goldenSuite(setting: Setting): readonly Golden[] {
  return items.flatMap((item, index) => {
    const from = (2 * index) % beside.length
    const among = beside.slice(from, from + 2).toSpliced(index % 3, 0, item)
    return [golden(setting, item, [item]), golden(setting, item, among)]
  })
}

function golden(
  setting: Setting,
  { question, contains }: Pick<Item, 'question' | 'contains'>,
  pages: readonly Page[],
): Golden {
  return {
    prompt: laidOut(setting, pages, question),
    ...(contains ? { contains } : { declines: true }),
  }
}
