/**
 * Three questions with labelled records, all invented. Grades: 2 answers the question, 1 helps with it, 0 only uses its
 * words. Each record has a year and citations, by which imitated sources order them.
 */

export interface Labelled {
  grade: 0 | 1 | 2
  title: string
  abstract: string
  year: number
  cited: number
}

export interface LabelledQuestion {
  question: string
  records: Labelled[]
}

type Row = [grade: 0 | 1 | 2, year: number, cited: number, title: string, abstract: string]

const rows = (...all: Row[]): Labelled[] =>
  all.map(([grade, year, cited, title, abstract]) => ({ grade, year, cited, title, abstract }))

export const LABELLED: readonly LabelledQuestion[] = [
  {
    question: 'Does intermittent fasting lower blood pressure in adults?',
    records: rows(
      [
        2,
        2019,
        61,
        'Intermittent fasting and blood pressure in adults: a randomised trial',
        'We assigned 142 adults to fasting on two days a week. Systolic blood pressure fell by 5 mm Hg with intermittent fasting.',
      ],
      [
        2,
        2022,
        40,
        'Time-restricted eating for hypertension: a meta-analysis',
        'Eleven trials of time-restricted eating were pooled. Blood pressure fell by 2 mm Hg in adults with hypertension.',
      ],
      [
        2,
        2016,
        88,
        'Alternate-day fasting in people with raised blood pressure',
        'Blood pressure was measured for 24 weeks in 80 adults. Alternate-day fasting lowered it more than advice did.',
      ],
      [
        2,
        2024,
        3,
        'Early time-restricted feeding and nocturnal blood pressure',
        'Adults ate between 8 and 14 h. Night-time blood pressure fell, daytime pressure did not.',
      ],
      [
        1,
        2021,
        30,
        'Intermittent fasting and cardiovascular risk markers: an overview',
        'This review covers cholesterol, weight, blood pressure and endothelial function under several fasting regimens.',
      ],
      [
        1,
        2014,
        120,
        'The 5:2 diet and body weight, with blood pressure as a secondary outcome',
        'Weight was the main outcome in 96 adults. Blood pressure fell slightly with the 5:2 diet.',
      ],
      [
        1,
        2020,
        17,
        'Safety of intermittent fasting in adults who take drugs for hypertension',
        'Low blood pressure and dizziness were recorded over three months of fasting.',
      ],
      [
        0,
        2023,
        210,
        'Fasting blood samples: how long is long enough?',
        'Adults gave blood after different times without food. Pressure on the cuff during sampling was kept equal.',
      ],
      [
        0,
        2018,
        75,
        'Intermittent fasting and tumour growth in mice',
        'Mice fasted on alternate days. Tumours grew more slowly. Blood cells were counted.',
      ],
      [
        0,
        2025,
        12,
        'Intermittent pneumatic compression and blood flow',
        'Cuffs inflated with low pressure improved venous flow in adults after surgery.',
      ],
      [
        0,
        2011,
        340,
        'Salt and blood pressure in adults',
        'Less salt lowered blood pressure in 412 adults. Fasting was not studied.',
      ],
      [
        0,
        2017,
        52,
        'Religious fasting and sleep',
        'Adults slept less during the month. No vital sign was measured.',
      ],
      [
        0,
        2022,
        9,
        'Overnight fasting before surgery',
        'Adults who drank until two hours before anaesthesia felt better. Intermittent checks of blood glucose were normal.',
      ],
      [
        0,
        2012,
        5,
        'Breakfast habits of schoolchildren',
        'Children who skip breakfast were asked for their reasons.',
      ],
    ),
  },
  {
    question: 'What is the effect of exercise on depression in older adults?',
    records: rows(
      [
        2,
        2018,
        95,
        'Exercise for depression in older adults: a systematic review',
        'Twenty trials of exercise were found. Depressive symptoms of older adults fell moderately.',
      ],
      [
        2,
        2021,
        22,
        'Walking groups against late-life depression: a randomised trial',
        'We randomised 210 people over 65 to walking or usual care. Depression scores fell by three points.',
      ],
      [
        2,
        2013,
        130,
        'Resistance training and depressive symptoms in nursing homes',
        'Residents trained twice a week. Depressive symptoms improved after twelve weeks.',
      ],
      [
        2,
        2023,
        8,
        'Tai chi, yoga and mood after 70',
        'Older adults with depression practised yoga or tai chi. Both groups reported fewer depressive symptoms.',
      ],
      [
        1,
        2016,
        61,
        'Physical activity and onset of depression: a cohort of 12,000 adults',
        'Active adults of all ages had fewer new depressive episodes over ten years.',
      ],
      [
        1,
        2020,
        18,
        'Adherence to exercise programmes among depressed outpatients',
        'Half of the patients, a third of them older than 60, completed the exercise programme.',
      ],
      [
        1,
        2015,
        44,
        'Exercise or antidepressants for adults with depression',
        'Adults of 18 to 75 took part. Exercise and drugs worked alike after four months.',
      ],
      [
        0,
        2024,
        33,
        'Respiratory depression during exercise under sedation',
        'Ventilation was measured in healthy volunteers.',
      ],
      [
        0,
        2019,
        71,
        'Exercise and bone density in older adults',
        'Older adults trained for two years. Bone density was kept; mood was not asked for.',
      ],
      [
        0,
        2010,
        260,
        'Depression in adolescents: prevalence and services',
        'One in ten adolescents reported depressive symptoms.',
      ],
      [
        0,
        2022,
        14,
        'ST depression in the exercise test of older adults',
        'An ST depression during the exercise test predicted coronary events in older adults.',
      ],
      [
        0,
        2017,
        28,
        'An exercise in economic modelling of the great depression',
        'Prices and wages of the years after 1929 are modelled.',
      ],
      [0, 2025, 1, 'Wearables count the steps of older adults', 'Two devices were compared with a film.'],
      [0, 2011, 12, 'Gardening and vegetables in retirement homes', 'Residents ate more vegetables.'],
    ),
  },
  {
    question: 'Are statins associated with a lower risk of dementia?',
    records: rows(
      [
        2,
        2020,
        77,
        'Statins and incident dementia: a cohort of 90,000 adults',
        'Statin users had a hazard ratio of 0.9 for dementia over eleven years.',
      ],
      [
        2,
        2017,
        140,
        'Statin therapy and the prevention of dementia: a meta-analysis',
        'Cohorts suggest less dementia among statin users; two trials found no difference.',
      ],
      [
        2,
        2023,
        15,
        'Atorvastatin or rosuvastatin and Alzheimer disease',
        'Alzheimer disease was diagnosed as often with atorvastatin as with rosuvastatin.',
      ],
      [
        2,
        2012,
        201,
        'Simvastatin and cognitive decline: a randomised trial',
        'Cognitive decline over three years did not differ between simvastatin and placebo.',
      ],
      [
        1,
        2019,
        35,
        'Cholesterol in mid-life and dementia, with adjustment for statins',
        'High cholesterol was associated with dementia. Adjustment for statin use changed little.',
      ],
      [
        1,
        2021,
        26,
        'Statins and memory complaints: reports to a regulator',
        'Memory loss was reported soon after the start of a statin and mostly passed.',
      ],
      [
        1,
        2015,
        58,
        'Confounding by indication in studies of statins and dementia',
        'Healthy users and early symptoms can explain why statins look protective.',
      ],
      [
        0,
        2022,
        190,
        'Statins and muscle pain: blinded repeated exposure',
        'Muscle pain was as frequent with placebo as with a statin. Risk was not lower.',
      ],
      [
        0,
        2024,
        6,
        'Dementia care in nursing homes: lower staffing, higher risk',
        'Falls were more frequent where staffing was lower.',
      ],
      [0, 2016, 82, 'Statins after myocardial infarction', 'Statins lowered the risk of another infarction.'],
      [
        0,
        2018,
        45,
        'Hearing aids and dementia',
        'Hearing aids were associated with a lower risk of dementia.',
      ],
      [
        0,
        2025,
        2,
        'Static balance in people with dementia',
        'Balance was associated with falls. Associated costs were lower with training.',
      ],
      [
        0,
        2010,
        300,
        'Guidelines on the use of statins',
        'A panel recommends statins for adults at raised risk of cardiovascular events.',
      ],
      [
        0,
        2013,
        20,
        'Vitamin D and fractures',
        'Vitamin D was not associated with a lower risk of fractures.',
      ],
    ),
  },
]
