import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { MethodSpec, ThreatModel } from '../../core/methods/define.ts';
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

function Threat({ model: { goal, knows, assumes, fails, terms = [] } }: { readonly model: ThreatModel }) {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['The attacker has', knows],
    ['Assumed', assumes],
    ['Fails when', fails],
  ];
  return (
    <>
      <Typography variant="body2" sx={{ mb: 1, fontWeight: 550 }}>
        {goal}
      </Typography>
      {parts
        .filter(([, texts]) => texts.length > 0)
        .map(([title, texts]) => (
          <Box key={title} sx={{ mb: 1 }}>
            <Typography variant="caption" component="h3" color="textSecondary" sx={{ m: 0, fontWeight: 600 }}>
              {title}
            </Typography>
            <Box component="ul" sx={{ m: 0, pl: 2, fontSize: '0.8125rem' }}>
              {texts.map((text) => (
                <li key={text}>{text}</li>
              ))}
            </Box>
          </Box>
        ))}
      {terms.length > 0 && (
        <Typography variant="caption" color="textSecondary" component="p" sx={{ m: 0 }}>
          {terms.map(([source, term]) => `${source}: ${term}`).join(' · ')}
        </Typography>
      )}
    </>
  );
}
