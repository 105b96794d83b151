/** What the service of a stage says that people should know before they start it. */
export function Note({ stage, title, note }: { stage: number; title: string; note: string }) {
  return (
    <p class="stage-note">
      Stage {stage}, {title}: <bdi>{note}</bdi>
    </p>
  )
}
