import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { hrefOf } from '../../app/routes.ts';
import { useRequest } from '../../bridge/use-bridge.ts';
import { ErrorNote } from '../ErrorNote.tsx';
import { Rows } from '../PageSkeleton.tsx';
import { specOf } from '../run-text.ts';

/** Every method: what of it the model can be, and why not where it cannot. */
export function Uses({ path }: { readonly path: string }) {
  const { data, error } = useRequest('models.methods', { path });
  if (error) return <ErrorNote error={error} />;
  if (!data) return <Rows count={3} />;
  return (
    <Box component="ul" sx={{ listStyle: 'none', m: 0, p: 0, fontSize: '0.8125rem' }}>
      {data.map(({ methodId, roles }) => {
        const spec = specOf(methodId);
        const [first] = roles;
        const problem = first?.problem ?? undefined;
        return (
          <Box
            component="li"
            key={methodId}
            sx={{
              display: 'grid',
              gridTemplateColumns: 'minmax(0, 1fr) auto',
              gap: 2,
              py: 0.75,
              '& + &': { borderTop: 1, borderColor: 'divider' },
            }}
          >
            <Box>
              <Box sx={{ fontWeight: 550, color: problem === undefined ? 'text.primary' : 'text.secondary' }}>
                {spec?.title ?? methodId}
              </Box>
              <Box sx={{ color: problem === undefined ? 'text.secondary' : 'warning.main' }}>
                {problem ??
                  `As ${orList(
                    roles.filter((each) => each.problem === null).map(({ role }) => roleTitle(methodId, role)),
                  )}`}
              </Box>
            </Box>
            {problem === undefined && (
              <Button
                href={hrefOf({ page: 'new', methodId, model: path })}
                aria-label={`New run: ${spec?.title ?? methodId}`}
                sx={{ mr: -1.5, alignSelf: 'center' }}
              >
                New run
              </Button>
            )}
          </Box>
        );
      })}
    </Box>
  );
}

/** "teacher", "teacher or student", "model, source or reference". */
function orList(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

const roleTitle = (methodId: string, role: string): string =>
  (specOf(methodId)?.models[role]?.title ?? role).toLowerCase();
