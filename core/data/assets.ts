import { fileURLToPath } from 'node:url';

/**
 * Where a file or folder lies that comes with Palimpsest: 'models/NAME.onnx', 'taxonomies/NAME.json'. The one place that
 * says so, for built files lie two folders deep as this one does, and sources of other depths would look elsewhere.
 */
export const assetPath = (path: string): string => fileURLToPath(new URL(`../../assets/${path}`, import.meta.url));
