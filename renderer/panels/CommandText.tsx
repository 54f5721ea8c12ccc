import Box from '@mui/material/Box';

/** A line for the shell that breaks between its arguments only. */
export function CommandText({ text }: { readonly text: string }) {
  return (
    <Box component="code" sx={{ display: 'block', fontSize: '0.75rem', lineHeight: 1.6 }}>
      {text.split(' ').map((part, index) => (
        <span key={index}>
          <Box component="span" sx={{ display: 'inline-block', maxWidth: '100%' }}>
            {part}
          </Box>{' '}
        </span>
      ))}
    </Box>
  );
}
