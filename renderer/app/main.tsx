import './no-eval.ts';
import createCache from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { StrictMode, useMemo } from 'react';
import { createRoot } from 'react-dom/client';
import { connect } from '../bridge/connect.ts';
import { BridgeContext } from '../bridge/use-bridge.ts';
import './fonts.css';
import { nonce } from './nonce.ts';
import { Shell } from './Shell.tsx';
import { useThemeMode } from './settings.ts';
import { themeFor } from './theme.ts';

const bridge = connect(window);
const cache = createCache({ key: 'p', prepend: true, nonce });

function App() {
  const mode = useThemeMode();
  const theme = useMemo(() => themeFor(mode), [mode]);
  return (
    <CacheProvider value={cache}>
      <ThemeProvider theme={theme}>
        <CssBaseline />
        <BridgeContext value={bridge}>
          <Shell />
        </BridgeContext>
      </ThemeProvider>
    </CacheProvider>
  );
}

const root = document.querySelector('#root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
