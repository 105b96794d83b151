import type { Labelled } from './labelled.ts'

export const TUNING_1: readonly Labelled[] = [
  {
    field: 'cardiology',
    title: 'Beetroot juice for raised blood pressure: a randomised, double-blind trial',
    abstract:
      'Background: Hypertension affects about 1.3 billion people worldwide.\nMethods: Adults with untreated hypertension were randomly assigned to 250 mL of beetroot juice (n = 34) or nitrate-free juice (n = 34) for four weeks.\nResults: Sixty-eight participants completed the trial. Systolic pressure fell by 7.7 mm Hg (95% CI 3.6 to 11.8).\nConclusion: Dietary nitrate lowered blood pressure.',
    kind: 'randomized_controlled_trial',
    size: 68,
  },
  {
    field: 'cardiology',
    title: 'Resting heart rate and incident atrial fibrillation',
    abstract:
      'We followed 46,213 adults without atrial fibrillation for a median of 11.4 years. During follow-up 2,318 participants developed atrial fibrillation. A resting rate below 50 beats per minute was associated with higher risk (hazard ratio 1.31).',
    kind: 'cohort',
    size: 46213,
  },
  {
    field: 'oncology',
    title: 'Survival after stereotactic radiotherapy of oligometastases',
    abstract:
      'PURPOSE: No randomized trial has compared stereotactic radiotherapy with surgery in this setting.\nMETHODS: We retrospectively reviewed the charts of 212 consecutive patients treated between 2009 and 2017, of whom 88 had colorectal cancer.\nRESULTS: Median overall survival was 31 months. Toxicity of grade 3 occurred in 12 patients.',
    kind: 'cohort',
    size: 212,
  },
  {
    field: 'oncology',
    title: 'Immune checkpoint inhibitors in thymic carcinoma: systematic review and meta-analysis',
    abstract:
      'Background: Evidence is limited to small trials.\nMethods: We searched PubMed, Embase and the Cochrane Library for prospective trials.\nResults: Nine studies with 298 patients were included. The pooled response rate was 21%.\nConclusions: Larger randomised trials are needed.',
    kind: 'meta_analysis',
    size: 298,
  },
  {
    field: 'psychiatry',
    title: 'Exercise and depressive symptoms in old age: a systematic review',
    abstract:
      'We searched five databases up to March 2021 for randomised controlled trials of exercise in adults over 65. Of 4,116 records screened, 23 trials met the criteria. Heterogeneity precluded pooling. Most trials reported fewer symptoms.',
    kind: 'systematic_review',
    size: null,
  },
  {
    field: 'psychology',
    title: 'Expressive writing before examinations',
    abstract:
      'Test anxiety impairs performance. In this experiment, 106 undergraduates were randomized to write about their worries or about a neutral topic for ten minutes. Those who wrote about worries scored higher, d = 0.48.',
    kind: 'randomized_controlled_trial',
    size: 106,
  },
  {
    field: 'psychology',
    title: 'Loneliness and social media use among adolescents',
    abstract:
      'This cross-sectional study examined 1,842 adolescents (52% girls, mean age 15.1 years) from 14 schools. Passive use was associated with loneliness (β = 0.21). Causal claims would need longitudinal cohorts.',
    kind: 'cross_sectional',
    size: 1842,
  },
  {
    field: 'education',
    title: 'Peer tutoring in rural mathematics classrooms: a cluster randomised trial',
    abstract:
      'Forty-two schools were randomised to peer tutoring or usual teaching. In total, 2,964 pupils took the test at the end of the year. Scores rose by 0.14 standard deviations.',
    kind: 'randomized_controlled_trial',
    size: 2964,
  },
  {
    field: 'education',
    title: 'Teachers’ experiences of remote instruction',
    abstract:
      'Semi-structured interviews were held with 27 primary school teachers in Norway. Thematic analysis yielded three themes: improvisation, isolation and renewed professional identity.',
    kind: 'qualitative',
    size: 27,
  },
  {
    field: 'education',
    title: 'What is inquiry? A narrative review of science teaching',
    abstract:
      'This narrative review traces the notion of inquiry over six decades. We discuss randomised trials as well as case studies and argue that definitions differ more than practices.',
    kind: 'review',
    size: null,
  },
  {
    field: 'microbiology',
    title: 'Honey inhibits biofilms of Pseudomonas aeruginosa',
    abstract:
      'Biofilms of three clinical isolates were grown in 96-well plates and exposed to manuka honey in vitro. Biomass fell by 72%. Cytotoxicity was tested in a human keratinocyte cell line (HaCaT). Experiments were repeated in triplicate (n = 3).',
    kind: 'in_vitro',
    size: null,
  },
  {
    field: 'pharmacology',
    title: 'Curcumin attenuates nephropathy in diabetic rats',
    abstract:
      'Forty male Sprague-Dawley rats were divided into five groups (n = 8 each). Diabetes was induced with streptozotocin (60 mg/kg). Curcumin reduced proteinuria and restored SIRT1 expression. These findings suggest a benefit for patients with diabetic nephropathy.',
    kind: 'animal',
    size: 40,
  },
  {
    field: 'pharmacology',
    title: 'A new alkaloid protects against liver fibrosis',
    abstract:
      'Fibrosis was induced in male C57BL/6 J mice by carbon tetrachloride for 6 weeks. Hepatic function was measured in serum. LX-2 cells were used for mechanisms in vitro. The alkaloid inhibited TGF-β1 signalling both in vivo and in vitro.',
    kind: 'animal',
    size: null,
  },
  {
    field: 'dentistry',
    title: 'Bond strength of resin cements to zirconia after thermocycling',
    abstract:
      'Ninety zirconia discs were randomly divided into six groups of 15 according to surface treatment. Shear bond strength was measured in a universal testing machine after 10,000 cycles. Silica coating gave the highest strength.',
    kind: 'in_vitro',
    size: null,
  },
  {
    field: 'neurology',
    title: 'Rat-bite fever presenting as septic arthritis',
    abstract:
      'A 34-year-old woman presented with fever and a swollen knee two weeks after a bite. Blood cultures grew Streptobacillus moniliformis. She recovered with penicillin. Clinicians should ask about contact with rats.',
    kind: 'case_report',
    size: 1,
  },
  {
    field: 'neurology',
    title: 'Risk factors for restless legs syndrome: a case-control study',
    abstract:
      'We compared 154 cases with 308 age-matched controls recruited from the same clinics. Low ferritin was associated with the syndrome (odds ratio 2.4, 95% CI 1.5 to 3.8).',
    kind: 'case_control',
    size: 462,
  },
  {
    field: 'neurology',
    title: 'Levetiracetam in neonatal seizures: protocol of a multicentre randomised trial',
    abstract:
      'Introduction: Phenobarbital remains the standard treatment.\nMethods and analysis: We will randomise 180 neonates to levetiracetam or phenobarbital. The primary outcome is seizure freedom at 24 hours.\nEthics and dissemination: Approval was given by the committee.',
    kind: 'protocol',
    size: 180,
  },
  {
    field: 'public health',
    title: 'Smoking among street vendors',
    abstract:
      'About 600,000 people live by street vending in the city. A survey of randomly selected vendors was carried out from May to July 2018. A total of 512 vendors and 14 market officials took part. The prevalence of smoking was 43.2%.',
    kind: 'cross_sectional',
    size: 526,
  },
  {
    field: 'public health',
    title: 'Sexual health needs of migrant youths: an exploratory qualitative study',
    abstract:
      'Background: An estimated 250,000 young migrants live in the region.\nMethods: Focus groups and in-depth interviews were analysed thematically.\nResults: A total of 61 youths participated. Lack of information was the main theme.',
    kind: 'qualitative',
    size: 61,
  },
  {
    field: 'public health',
    title: 'Water fluoridation and caries: an ecological time-series',
    abstract:
      'We linked monthly dental admissions in 32 municipalities to fluoride levels between 2005 and 2015. Cessation was followed by an increase of 11% (95% CI 4 to 18). Confounding by diet cannot be excluded.',
    kind: null,
    size: null,
  },
  {
    field: 'nursing',
    title: 'Nurse-led discharge: a before-and-after study',
    abstract:
      'Aim: To evaluate nurse-led discharge on a surgical ward.\nDesign: An uncontrolled before-and-after study.\nResults: Length of stay fell from 4.1 to 3.2 days after introduction. Data of 738 patients were analysed.',
    kind: 'observational',
    size: 738,
  },
  {
    field: 'nursing',
    title: 'Moral distress in intensive care nurses: a cross-sectional survey',
    abstract:
      'Questionnaires were sent to 620 nurses; 411 responded (response rate 66%). Moral distress was highest where end-of-life decisions were delayed.',
    kind: 'cross_sectional',
    size: 411,
  },
  {
    field: 'nursing',
    title: 'Compassion fatigue: a concept analysis',
    abstract:
      'Using the method of Walker and Avant, the attributes of compassion fatigue were identified from the literature. Antecedents include prolonged exposure to suffering.',
    kind: null,
    size: null,
  },
  {
    field: 'infectious disease',
    title: 'Effectiveness of one dose of a mumps vaccine: a test-negative case-control study',
    abstract:
      'Among 1,204 patients tested for mumps, 318 were positive (cases) and 886 negative (controls). Vaccine effectiveness was 61%.',
    kind: 'case_control',
    size: 1204,
  },
  {
    field: 'infectious disease',
    title: 'Short-course antibiotics for cellulitis',
    abstract:
      'Methods: In this non-inferiority trial, we randomly allocated patients to 5 or 10 days of flucloxacillin.\nResults: Of 342 patients screened, 248 were enrolled: 124 in the 5-day group and 124 in the 10-day group. Cure occurred in 88% and 90%.',
    kind: 'randomized_controlled_trial',
    size: 248,
  },
  {
    field: 'infectious disease',
    title: 'COVID-19 in dialysis units: lessons for preparedness',
    abstract:
      'Dialysis units faced sudden outbreaks in 2020. In this viewpoint we argue that isolation capacity, not testing, was the bottleneck. Randomised trials of isolation policy are hardly feasible.',
    kind: 'editorial',
    size: null,
  },
  {
    field: 'obstetrics',
    title: 'Clinical practice guideline on induction of labour',
    abstract:
      'This guideline updates the 2014 recommendations. A panel of 18 experts reviewed 12 systematic reviews and 31 randomized controlled trials and graded the evidence. Induction at 41 weeks is recommended.',
    kind: 'guideline',
    size: null,
  },
  {
    field: 'obstetrics',
    title: 'Birth weight after in vitro fertilization',
    abstract:
      'We studied singletons conceived by in vitro fertilization in a national registry. Birth weights of 12,406 infants were compared with those of 48,110 spontaneously conceived infants in this population-based cohort. The mean difference was 58 g.',
    kind: 'cohort',
    size: 60516,
  },
  {
    field: 'paediatrics',
    title: 'Probiotics for infant colic: an open-label trial',
    abstract:
      'Thirty-six breastfed infants with colic received Lactobacillus reuteri for 21 days in this single-arm, open-label trial without a control group. Crying time fell from 197 to 51 minutes a day.',
    kind: 'clinical_trial',
    size: 36,
  },
  {
    field: 'paediatrics',
    title: 'Screen time and sleep in toddlers',
    abstract:
      'Parents of 715 children aged 6 to 36 months completed an online questionnaire at a single time point. Each hour of tablet use was associated with 15.6 minutes less sleep.',
    kind: 'cross_sectional',
    size: 715,
  },
  {
    field: 'surgery',
    title: 'Robotic versus laparoscopic hernia repair: umbrella review',
    abstract:
      'We performed an umbrella review of systematic reviews and meta-analyses published until 2022. Fourteen reviews were included; overlap was high. Certainty was low.',
    kind: 'systematic_review',
    size: null,
  },
  {
    field: 'surgery',
    title: 'Early results of a novel mesh in eleven patients',
    abstract:
      'We present a case series of eleven patients treated with a novel resorbable mesh. No recurrence was seen at 12 months.',
    kind: 'case_report',
    size: 11,
  },
  {
    field: 'surgery',
    title: 'Cough after thoracoscopic resection',
    abstract:
      'Methods: In this study, 97 elderly patients who underwent resection from 2019 to 2022 were selected for retrospective analysis and divided into the cough group (n = 41) and the no-cough group (n = 56).\nResults: Smoking was an independent risk factor.',
    kind: 'cohort',
    size: 97,
  },
  {
    field: 'genetics',
    title: 'Vitamin D and multiple sclerosis: a Mendelian randomization study',
    abstract:
      'We used summary statistics of genome-wide association studies of 417,580 Europeans for vitamin D and of 14,802 cases of multiple sclerosis. Genetically lower vitamin D increased risk (OR 1.9).',
    kind: null,
    size: null,
  },
  {
    field: 'genetics',
    title: 'A novel variant of SCN5A in a family with Brugada syndrome',
    abstract:
      'We report a family with Brugada syndrome in whom exome sequencing revealed the variant c.4813+3A>G. The proband, a 41-year-old man, was resuscitated.',
    kind: 'case_report',
    size: null,
  },
  {
    field: 'ecology',
    title: 'Grazing and plant diversity in alpine meadows',
    abstract:
      'We surveyed vegetation in 120 plots along a gradient of grazing. Species richness peaked at intermediate intensity. A randomized block design with fencing is under way.',
    kind: null,
    size: null,
  },
  {
    field: 'ecology',
    title: 'Do urban trees cool cities? A meta-analysis',
    abstract:
      'We compiled 182 studies from 110 cities and fitted random-effects models. Street trees lowered air temperature by 0.8 °C at midday. Effects were weaker in humid climates.',
    kind: 'meta_analysis',
    size: null,
  },
  {
    field: 'ecology',
    title: 'Rat eradication and seabird recovery on islands',
    abstract:
      'Invasive rats threaten seabirds. We monitored burrows of storm petrels for eight years after eradication on three islands. Occupancy rose from 12% to 57%.',
    kind: null,
    size: null,
  },
  {
    field: 'economics',
    title: 'Do minimum wages reduce employment? Evidence from county pairs',
    abstract:
      'Using quarterly data on restaurants in contiguous county pairs from 1990 to 2016, we find no significant effect on employment and an elasticity of earnings of 0.2. The estimates are robust to trends.',
    kind: null,
    size: null,
  },
  {
    field: 'economics',
    title: 'Cash transfers and school attendance in northern villages',
    abstract:
      'In a randomized field experiment, 1,560 households in 78 villages received monthly transfers or nothing. Attendance rose by 6 percentage points. The programme cost $14 per child.',
    kind: 'randomized_controlled_trial',
    size: 1560,
  },
]
