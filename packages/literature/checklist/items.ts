/** The 27 items of PRISMA 2020 in our own words, and the manuscript sections that cover them. */

export interface Item {
  item: number
  topic: string
  asks: string
  /** Section ids, most likely first; empty if the draft has no section for it. */
  sections: readonly string[]
}

export const ITEMS: readonly Item[] = [
  {
    item: 1,
    topic: 'Title',
    asks: 'The title says that the report is a systematic review.',
    sections: ['title'],
  },
  {
    item: 2,
    topic: 'Abstract',
    asks: 'The abstract summarises the aim, methods, results and conclusions.',
    sections: ['abstract'],
  },
  {
    item: 3,
    topic: 'Rationale',
    asks: 'Why the review is needed, given what is known.',
    sections: ['rationale'],
  },
  {
    item: 4,
    topic: 'Objectives',
    asks: 'The question or questions that the review answers.',
    sections: ['objectives'],
  },
  {
    item: 5,
    topic: 'Eligibility criteria',
    asks: 'Which studies were eligible, and how they were grouped.',
    sections: ['eligibility'],
  },
  {
    item: 6,
    topic: 'Information sources',
    asks: 'Everything that was searched, and when it was last searched.',
    sections: ['sources'],
  },
  {
    item: 7,
    topic: 'Search strategy',
    asks: 'The full query of each source, with limits and filters.',
    sections: ['strategy'],
  },
  {
    item: 8,
    topic: 'Selection process',
    asks: 'How studies were selected, by whom and with which tools.',
    sections: ['selection'],
  },
  {
    item: 9,
    topic: 'Data collection',
    asks: 'How data were extracted from reports, by whom and with which tools.',
    sections: ['collection'],
  },
  {
    item: 10,
    topic: 'Data items',
    asks: 'Which outcomes and other data were sought, and what was assumed where they were missing.',
    sections: ['collection'],
  },
  {
    item: 11,
    topic: 'Risk of bias in studies',
    asks: 'How the risk of bias of each study was assessed.',
    sections: ['bias'],
  },
  {
    item: 12,
    topic: 'Effect measures',
    asks: 'Which measure of effect was used for each outcome.',
    sections: [],
  },
  {
    item: 13,
    topic: 'Synthesis methods',
    asks: 'How results were prepared, combined and explored.',
    sections: ['synthesis'],
  },
  { item: 14, topic: 'Reporting bias', asks: 'How bias from missing results was assessed.', sections: [] },
  { item: 15, topic: 'Certainty', asks: 'How the certainty of the evidence was assessed.', sections: [] },
  {
    item: 16,
    topic: 'Study selection',
    asks: 'How many records there were at each step, and why studies were excluded.',
    sections: ['study-selection'],
  },
  {
    item: 17,
    topic: 'Study characteristics',
    asks: 'Each included study with its characteristics.',
    sections: ['characteristics'],
  },
  {
    item: 18,
    topic: 'Risk of bias in studies',
    asks: 'The assessed risk of bias of each included study.',
    sections: [],
  },
  {
    item: 19,
    topic: 'Results of studies',
    asks: 'The results of each study, with estimates and their precision.',
    sections: ['individual'],
  },
  {
    item: 20,
    topic: 'Results of syntheses',
    asks: 'What each synthesis found.',
    sections: ['evidence-map', 'gaps'],
  },
  {
    item: 21,
    topic: 'Reporting biases',
    asks: 'The assessed risk of bias from missing results.',
    sections: [],
  },
  {
    item: 22,
    topic: 'Certainty of evidence',
    asks: 'The assessed certainty of each body of evidence.',
    sections: [],
  },
  {
    item: 23,
    topic: 'Discussion',
    asks: 'The results in context, the limitations of the evidence and of the review process, and the implications.',
    sections: ['interpretation', 'limitations-evidence', 'limitations-process', 'implications'],
  },
  {
    item: 24,
    topic: 'Registration and protocol',
    asks: 'Where the review is registered, where its protocol can be found, and what was amended.',
    sections: ['registration'],
  },
  {
    item: 25,
    topic: 'Support',
    asks: 'Who funded the review, and what role the funders had.',
    sections: ['support'],
  },
  {
    item: 26,
    topic: 'Competing interests',
    asks: 'The competing interests of the authors.',
    sections: ['interests'],
  },
  {
    item: 27,
    topic: 'Availability',
    asks: 'Which data, code and other material are available, and where.',
    sections: ['availability'],
  },
]
