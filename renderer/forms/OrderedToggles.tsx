import Box from '@mui/material/Box';
import { useState, type KeyboardEvent } from 'react';
import { HelpText } from '../panels/HelpText.tsx';
import { moved, toggled } from './list-order.ts';
import { toggleStyle } from './ToggleRow.tsx';

interface OrderedTogglesProps {
  readonly id: string;
  readonly choices: readonly string[];
  /** In the order of the request. */
  readonly chosen: readonly string[];
  readonly isWrong: boolean;
  readonly onChange: (chosen: readonly string[]) => void;
}

const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** Any number of a few names in an order of the user: those chosen come first, numbered; Alt with an arrow moves one. */
export function OrderedToggles({ id, choices, chosen, isWrong, onChange }: OrderedTogglesProps) {
  const [said, setSaid] = useState('');
  const [dragged, setDragged] = useState<string | undefined>(undefined);
  const put = (choice: string, by: number): void => {
    const next = moved(chosen, choice, by);
    onChange(next);
    setSaid(`${choice} is ${next.indexOf(choice) + 1} of ${next.length}`);
  };
  const onKey = (event: KeyboardEvent, choice: string): void => {
    const by = steps[event.key];
    if (!event.altKey || by === undefined || !chosen.includes(choice)) return;
    event.preventDefault();
    put(choice, by);
  };
  return (
    <>
      <Box
        id={id}
        role="group"
        aria-labelledby={`${id}-label`}
        aria-describedby={`${id}-order ${id}-help`}
        sx={{ display: 'flex', flexWrap: 'wrap', gap: 0.5 }}
      >
        {[...chosen, ...choices.filter((choice) => !chosen.includes(choice))].map((choice) => {
          const place = chosen.indexOf(choice);
          const isOn = place >= 0;
          return (
            <Box
              key={choice}
              component="button"
              type="button"
              aria-pressed={isOn}
              aria-label={isOn ? `${choice}, ${place + 1} of ${chosen.length}` : choice}
              draggable={isOn}
              onDragStart={() => setDragged(choice)}
              onDragEnd={() => setDragged(undefined)}
              onDragOver={(event) => {
                if (dragged !== undefined && isOn) event.preventDefault();
              }}
              onDrop={() => dragged !== undefined && put(dragged, place - chosen.indexOf(dragged))}
              onClick={() => onChange(toggled(chosen, choice))}
              onKeyDown={(event) => onKey(event, choice)}
              sx={{
                ...toggleStyle(isOn, isWrong),
                // The place is for the eye: its words are in the label, which has to hold all text of the button.
                ...(isOn && {
                  '&::before': { content: `"${place + 1}"`, color: 'text.secondary', mr: 0.75, fontSize: '0.6875rem' },
                }),
              }}
            >
              {choice}
            </Box>
          );
        })}
      </Box>
      <HelpText
        id={`${id}-order`}
        help="In this order; drag, or Alt with an arrow key, to change it."
        problem={undefined}
      />
      <Box
        role="status"
        sx={{ position: 'absolute', width: '1px', height: '1px', overflow: 'hidden', clipPath: 'inset(50%)' }}
      >
        {said}
      </Box>
    </>
  );
}
