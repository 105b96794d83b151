/** Invented records on telemedicine in diabetes. Nothing here was ever published, measured or written by a real person. */
import type { SampleRecord } from './record.ts'

export const TELEMEDICINE: readonly SampleRecord[] = [
  {
    id: 'sample-038',
    title: 'Telemedicine compared with clinic visits for type 2 diabetes: a randomized non-inferiority trial',
    authorString: 'Castaneda-Wu R, Abara N, Lindholm O.',
    pubYear: 2021,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2021.038',
    abstractText:
      'Video consultations expanded quickly. We randomised 604 adults with type 2 diabetes to telemedicine or clinic visits for twelve months. HbA1c fell by 0.7 percentage points with telemedicine and by 0.6 with clinic visits. Non-inferiority was shown. Travel time fell by a median of six hours a year.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 68,
    language: 'en',
  },
  {
    id: 'sample-039',
    title: 'Remote monitoring of glucose in type 1 diabetes: a meta-analysis',
    authorString: 'Feldkamp-Obeng S, Ishikawa R.',
    pubYear: 2019,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2019.039',
    abstractText:
      'Remote monitoring sends glucose readings to the clinic. We pooled 17 trials with 1,902 participants with type 1 diabetes. Remote monitoring lowered HbA1c by 0.18 percentage points. Severe hypoglycaemia was not reduced. Trials with automated feedback showed larger effects.',
    pubTypes: ['Journal Article', 'Meta-Analysis', 'Systematic Review'],
    citedByCount: 82,
    language: 'en',
  },
  {
    id: 'sample-040',
    title: 'Text messages to improve glycaemic control in rural clinics',
    authorString: 'Nyström-Dube A, Farouk H.',
    pubYear: 2015,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2015.040',
    abstractText:
      'Mobile phones reach people whom clinics do not. In 22 rural clinics 1,040 adults with diabetes were randomised to daily text messages or usual care. HbA1c fell by 0.4 percentage points more with messages after six months. The effect had faded at twelve months. This mobile health programme cost less than two dollars per participant and month.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 111,
    language: 'en',
  },
  {
    id: 'sample-041',
    title: 'Telehealth screening for diabetic retinopathy: diagnostic accuracy in primary care',
    authorString: 'Bergamo-Tran L, Sithole P, Vance Q.',
    pubYear: 2018,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2018.041',
    abstractText:
      'Screening for retinopathy is missed by many. Retinal images of 2,318 people with diabetes were graded remotely and compared with examination by an ophthalmologist. Telehealth screening had a sensitivity of 91% and a specificity of 94%. Ungradable images made up 5%. Screening rates doubled in the clinics that took part.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 59,
    language: 'en',
  },
  {
    id: 'sample-042',
    title: 'Video consultation in gestational diabetes: experience of women and midwives',
    authorString: 'Rowntree-Adisa M, Solheim K.',
    pubYear: 2022,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2022.042',
    abstractText:
      'Frequent visits burden pregnant women with gestational diabetes. We interviewed 31 women and 12 midwives about video consultation. Women valued flexibility and missed physical examination. Midwives feared overlooking signs of pre-eclampsia. A mixture of both forms was preferred.',
    pubTypes: ['Journal Article'],
    citedByCount: 15,
    language: 'en',
  },
  {
    id: 'sample-043',
    title:
      'Telemonitoring, blood pressure and cardiovascular risk in diabetes: two-year results of a cluster trial',
    authorString: 'Mahlangu-Frey T, Costigan B.',
    pubYear: 2020,
    journal: 'Example Heart Journal',
    doi: '10.5555/sample.2020.043',
    abstractText:
      'Blood pressure control in diabetes is often poor. Forty practices were randomised to telemonitoring of blood pressure or usual care. After two years systolic blood pressure was 4.8 mm Hg lower with telemonitoring. HbA1c did not differ. Estimated cardiovascular risk fell slightly.',
    pubTypes: ['Journal Article', 'Randomized Controlled Trial'],
    citedByCount: 47,
    language: 'en',
  },
  {
    id: 'sample-044',
    title:
      'Telemedizin bei Diabetes mellitus: Kosten und Nutzen (telemedicine in diabetes: costs and benefits)',
    authorString: 'Hagemann-Issa U, Prinz V.',
    pubYear: 2017,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2017.044',
    abstractText:
      'Costs of telemedicine for diabetes were estimated from the claims of 4,420 insured people. Telemedicine saved 212 euros per person and year, mostly through fewer admissions. HbA1c was available for a third only. Selection of motivated participants may explain part of the saving. The article is in German with an English abstract.',
    pubTypes: ['Journal Article', 'Observational Study'],
    citedByCount: 18,
    language: 'de',
  },
  {
    id: 'sample-045',
    title: 'Why telemedicine programmes for diabetes end: lessons from 30 pilots',
    authorString: 'Oyelaran-Smith C.',
    pubYear: 2024,
    journal: 'Specimen Journal of Digital Health',
    doi: '10.5555/sample.2024.045',
    abstractText: null,
    pubTypes: ['Journal Article', 'Review'],
    citedByCount: 9,
    language: 'en',
  },
]
