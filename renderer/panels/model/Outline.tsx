import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import { useState, type ReactNode } from 'react';
import { formatFraction, formatNumber } from '../../../core/report/format.ts';
import { stagesOf, type OutlineBlock, type Stage } from './stages.ts';

/** So many layers are all shown at once; of more, the parts of the network first. */
const shownAtOnce = 16;

/** The way of an image through the network: what each part does, gives out, holds and costs. */
export function Outline({ blocks }: { readonly blocks: readonly OutlineBlock[] }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole || blocks.some(({ stage }) => stage !== '') ? blocks : blocks.slice(0, shownAtOnce);
  const total = blocks.reduce((sum, { flops }) => sum + flops, 0);
  return (
    <>
      <Table size="small" sx={{ tableLayout: 'fixed', '& td, & th': { pr: 1.5 } }}>
        <TableHead>
          <TableRow>
            <TableCell>Layer</TableCell>
            <TableCell align="right" sx={{ width: 128 }}>
              Output
            </TableCell>
            <TableCell align="right" sx={{ width: 104 }}>
              Parameters
            </TableCell>
            <TableCell align="right" sx={{ width: 148 }}>
              Operations
            </TableCell>
          </TableRow>
        </TableHead>
        {stagesOf(shown).map((stage, at) =>
          stage.blocks.length > 1 && stage.name !== '' ? (
            <StageRows key={at} stage={stage} total={total} isOpenAtFirst={blocks.length <= shownAtOnce} />
          ) : (
            <TableBody key={at}>
              {stage.blocks.map((block, index) => (
                <BlockRow key={index} block={block} total={total} isInner={false} />
              ))}
            </TableBody>
          ),
        )}
      </Table>
      {shown.length < blocks.length && <Button onClick={() => setWhole(true)}>All {blocks.length} layers</Button>}
    </>
  );
}

interface StageRowsProps {
  readonly stage: Stage;
  readonly total: number;
  readonly isOpenAtFirst: boolean;
}

function StageRows({ stage, total, isOpenAtFirst }: StageRowsProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  const { name, blocks } = stage;
  return (
    <TableBody>
      <Figures
        shape={blocks.at(-1)?.shape ?? []}
        parameters={stage.parameters}
        share={total > 0 ? stage.flops / total : 0}
      >
        <Button
          onClick={() => setOpen(!isOpen)}
          aria-expanded={isOpen}
          color="inherit"
          sx={{ p: 0, m: 0, minHeight: 0, minWidth: 0, textAlign: 'left', justifyContent: 'flex-start', gap: 0.75 }}
        >
          <Box component="span" aria-hidden sx={{ width: 10, color: 'text.secondary' }}>
            {isOpen ? '▾' : '▸'}
          </Box>
          {name}
          <Box component="span" sx={{ color: 'text.secondary', fontWeight: 400 }}>
            {blocks.length} layers
          </Box>
        </Button>
      </Figures>
      {isOpen && blocks.map((block, index) => <BlockRow key={index} block={block} total={total} isInner />)}
    </TableBody>
  );
}

interface BlockRowProps {
  readonly block: OutlineBlock;
  readonly total: number;
  readonly isInner: boolean;
}

function BlockRow({ block, total, isInner }: BlockRowProps) {
  const { stage, name, operators, shape, parameters, flops } = block;
  const title = isInner ? name : [stage, name].filter((part) => part !== '').join('.');
  const [first = '', ...others] = operators;
  return (
    <Figures shape={shape} parameters={parameters} share={total > 0 ? flops / total : 0}>
      <Box sx={{ pl: isInner ? 2 : 0, minWidth: 0 }}>
        <Box component="span" sx={{ fontWeight: 550 }}>
          {first}
        </Box>
        <Box component="span" sx={{ color: 'text.secondary' }}>
          {others.map((each) => ` · ${each}`).join('')}
        </Box>
        {title !== '' && (
          <Box component="code" sx={{ display: 'block', color: 'text.secondary', fontSize: '0.75rem' }}>
            {title}
          </Box>
        )}
      </Box>
    </Figures>
  );
}

interface FiguresProps {
  readonly shape: OutlineBlock['shape'];
  readonly parameters: number;
  readonly share: number;
  readonly children: ReactNode;
}

function Figures({ shape, parameters, share, children }: FiguresProps) {
  return (
    <TableRow>
      <TableCell component="th" scope="row">
        {children}
      </TableCell>
      <TableCell align="right" sx={{ color: 'text.secondary' }}>
        {shape.filter((size) => size !== 'N').join(' × ')}
      </TableCell>
      <TableCell align="right">{parameters === 0 ? '–' : formatNumber(parameters)}</TableCell>
      <TableCell align="right">
        <Box sx={{ display: 'flex', alignItems: 'center', justifyContent: 'flex-end', gap: 1 }}>
          <Box aria-hidden sx={{ flex: 1, height: 6, bgcolor: 'action.hover', borderRadius: 0.5 }}>
            <Box sx={{ height: 6, width: `${100 * share}%`, bgcolor: 'primary.main', borderRadius: 0.5 }} />
          </Box>
          <Box component="span" sx={{ minWidth: 44, textAlign: 'right' }}>
            {formatFraction(share, 1)}
          </Box>
        </Box>
      </TableCell>
    </TableRow>
  );
}
