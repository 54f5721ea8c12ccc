import Box from '@mui/material/Box';

interface ToggleRowProps {
  readonly id: string;
  readonly choices: readonly string[];
  /** Shown instead of the choice itself. */
  readonly titles?: ReadonlyMap<string, string>;
  readonly chosen: readonly string[];
  readonly isWrong: boolean;
  /** In the order of `choices`. */
  readonly onChange: (chosen: readonly string[]) => void;
}

/** A name that is switched on and off. */
export const toggleStyle = (isOn: boolean, isWrong: boolean) => ({
  font: 'inherit',
  fontSize: '0.8125rem',
  px: 1.25,
  minHeight: 30,
  borderRadius: 1,
  cursor: 'pointer',
  border: 1,
  borderColor: isWrong ? 'error.main' : isOn ? 'primary.main' : 'divider',
  bgcolor: isOn ? 'primary.light' : 'transparent',
  color: isOn ? 'text.primary' : 'text.secondary',
  fontWeight: isOn ? 550 : 400,
  '&:hover': { borderColor: 'text.secondary' },
  '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: 1 },
});

/** Any number of a few names, each switched on and off. */
export function ToggleRow({ id, choices, titles, chosen, isWrong, onChange }: ToggleRowProps) {
  const toggle = (choice: string): void => {
    const next = new Set(chosen.includes(choice) ? chosen.filter((each) => each !== choice) : [...chosen, choice]);
    onChange(choices.filter((each) => next.has(each)));
  };
  return (
    <Box
      id={id}
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={`${id}-help`}
      sx={{ display: 'flex', flexWrap: 'wrap', gap: 0.5 }}
    >
      {choices.map((choice) => {
        const isOn = chosen.includes(choice);
        return (
          <Box
            key={choice}
            component="button"
            type="button"
            aria-pressed={isOn}
            title={titles?.has(choice) ? choice : undefined}
            onClick={() => toggle(choice)}
            sx={toggleStyle(isOn, isWrong)}
          >
            {titles?.get(choice) ?? choice}
          </Box>
        );
      })}
    </Box>
  );
}
