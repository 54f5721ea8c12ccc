import Typography from '@mui/material/Typography';

interface HelpTextProps {
  readonly id?: string;
  readonly help: string;
  /** Takes the place of the help. */
  readonly problem: string | undefined;
}

/** What stands below a field: what it means, or what is wrong with its value. */
export function HelpText({ id, help, problem }: HelpTextProps) {
  return (
    <Typography
      {...(id === undefined ? {} : { id })}
      variant="caption"
      component="p"
      color={problem === undefined ? 'textSecondary' : 'error'}
      sx={{ m: 0, mt: 0.5 }}
    >
      {problem ?? help}
    </Typography>
  );
}
