import InputAdornment from '@mui/material/InputAdornment';

export function Unit({ text }: { readonly text: string }) {
  return (
    <InputAdornment position="end" sx={{ '& p': { fontSize: '0.75rem' } }}>
      {text}
    </InputAdornment>
  );
}
