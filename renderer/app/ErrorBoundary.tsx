import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { toWorkbenchError } from '../../core/base/errors.ts';
import { ErrorNote } from '../panels/ErrorNote.tsx';

interface State {
  readonly thrown?: unknown;
  readonly details?: string;
}

/** A page that fails says so and leaves the rest of the window alone. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(thrown: unknown): State {
    return { thrown };
  }

  override componentDidCatch(thrown: unknown, info: ErrorInfo): void {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    this.setState({ details: `${stack}\n${info.componentStack ?? ''}` });
  }

  override render(): ReactNode {
    const { thrown, details } = this.state;
    if (thrown === undefined) return this.props.children;
    return (
      <Box sx={{ p: 4, maxWidth: 720 }}>
        <ErrorNote error={toWorkbenchError(thrown)} details={details} />
        <Button variant="outlined" sx={{ mt: 2 }} onClick={() => this.setState({ thrown: undefined })}>
          Try again
        </Button>
      </Box>
    );
  }
}
