import { useEffect, useState } from 'react';
import type { Artifact } from '../../core/contract/run.ts';
import { useBridge } from '../bridge/use-bridge.ts';

/** A blob: address of an artifact's bytes; the one before stays until the new one is there, so that nothing flickers. */
export function useArtifactUrl(artifact: Pick<Artifact, 'sha256' | 'mediaType'> | undefined): string | undefined {
  const bridge = useBridge();
  const [url, setUrl] = useState<string | undefined>(undefined);
  const sha256 = artifact?.sha256;
  const type = artifact?.mediaType ?? '';
  useEffect(() => {
    if (sha256 === undefined) return undefined;
    let isCurrent = true;
    let made: string | undefined;
    bridge.artifact(sha256).then(
      (bytes) => {
        if (!isCurrent) return;
        made = URL.createObjectURL(new Blob([bytes], { type }));
        setUrl(made);
      },
      // Gone from the workspace: the place stays empty and the list of files says why.
      () => undefined,
    );
    return () => {
      isCurrent = false;
      const old = made;
      // After the next one has had time to take its place.
      if (old !== undefined) setTimeout(() => URL.revokeObjectURL(old), 2000);
    };
  }, [bridge, sha256, type]);
  return url;
}
