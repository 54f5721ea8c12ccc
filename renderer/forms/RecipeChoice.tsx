import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import type { MethodSpec } from '../../core/methods/define.ts';

interface RecipeChoiceProps {
  readonly spec: MethodSpec;
  readonly recipe: string | undefined;
  readonly onChange: (recipe: string | undefined) => void;
}

/** Named sets of parameters, as cards of which one is chosen. */
export function RecipeChoice({ spec, recipe, onChange }: RecipeChoiceProps) {
  const options: readonly (readonly [string | undefined, string, string])[] = [
    ...Object.entries(spec.recipes).map(([id, { title, help }]) => [id, title, help] as const),
    [undefined, 'Defaults', 'Every parameter as declared.'],
  ];
  return (
    <Box
      component="fieldset"
      sx={{
        position: 'relative',
        border: 0,
        m: 0,
        p: 0,
        display: 'grid',
        gap: 1,
        gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 14rem), 1fr))',
      }}
    >
      <Box
        component="legend"
        sx={{ position: 'absolute', width: '1px', height: '1px', overflow: 'hidden', clipPath: 'inset(50%)' }}
      >
        Recipe
      </Box>
      {options.map(([id, title, help]) => (
        <Box
          component="label"
          key={title}
          sx={{
            display: 'block',
            p: 1.5,
            border: 1,
            borderColor: recipe === id ? 'primary.main' : 'divider',
            bgcolor: recipe === id ? 'primary.light' : 'transparent',
            borderRadius: 1,
            cursor: 'pointer',
            '&:hover': { borderColor: recipe === id ? 'primary.main' : 'text.secondary' },
            '&:focus-within': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: 1 },
          }}
        >
          <Box
            component="input"
            type="radio"
            name="recipe"
            checked={recipe === id}
            onChange={() => onChange(id)}
            sx={{ position: 'absolute', opacity: 0, pointerEvents: 'none' }}
          />
          <Typography variant="h3">{title}</Typography>
          <Typography variant="caption" color="textSecondary" component="p" title={help} sx={clamp}>
            {help}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}

const clamp = { m: 0, display: '-webkit-box', WebkitLineClamp: 6, WebkitBoxOrient: 'vertical', overflow: 'hidden' };
