import Box from '@mui/material/Box';
import Skeleton from '@mui/material/Skeleton';

/** The shape of a page while its parts are on their way. */
export function PageSkeleton() {
  return (
    <Box role="status" aria-label="Loading" sx={{ px: { xs: 3, lg: 5 }, pt: 3.5, maxWidth: 1280 }}>
      <Skeleton width={260} height={32} />
      <Skeleton width={420} height={18} sx={{ mt: 1.5, mb: 4 }} />
      <Rows count={6} />
    </Box>
  );
}

export function Rows({ count }: { readonly count: number }) {
  return (
    <Box role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        <Skeleton key={index} height={22} sx={{ mb: 1.25, maxWidth: `${100 - ((index * 17) % 40)}%` }} />
      ))}
    </Box>
  );
}
