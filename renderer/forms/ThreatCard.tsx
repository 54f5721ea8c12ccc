import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { MethodSpec } from '../../core/methods/define.ts';
import { threatRows, type ThreatFact } from '../../core/report/facts.ts';
import { Section } from '../panels/Page.tsx';

/** Said before the start: what the method is for, who attacks with what, and when it is known to fail. */
export function ThreatCard({ spec }: { readonly spec: Pick<MethodSpec, 'purpose' | 'threatModel'> }) {
  const { purpose, threatModel } = spec;
  return (
    <>
      {threatModel && (
        <Section title="Threat model">
          <Threat model={threatModel} />
        </Section>
      )}
      <Section title="What it is for">
        <Typography variant="body2" color="textSecondary">
          {purpose}
        </Typography>
      </Section>
    </>
  );
}

/** A heading with one text is a paragraph, with several a list. */
function Threat({ model }: { readonly model: ThreatFact }) {
  return threatRows(model).map(([heading, texts]) => (
    <Box key={heading} sx={{ mb: 1, fontSize: '0.8125rem' }}>
      <Typography variant="caption" component="h3" color="textSecondary" sx={{ m: 0, fontWeight: 600 }}>
        {heading}
      </Typography>
      {texts.length === 1 ? (
        <Box component="p" sx={{ m: 0 }}>
          {texts[0]}
        </Box>
      ) : (
        <Box component="ul" sx={{ m: 0, pl: 2 }}>
          {texts.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </Box>
      )}
    </Box>
  ));
}
