/** A person's own folder, and an upload into it, in parts, that says how far it is. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { bucket, s3In } from './daypass.js';

export function Videos({ session: { identityId, region } }) {
  const s3 = useMemo(() => s3In(region), [region]);
  const [names, setNames] = useState([]);
  const [progress, setProgress] = useState();
  const [error, setError] = useState();
  const folder = `${identityId}/`;

  const list = useCallback(async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder }));
    setNames(Contents.map(({ Key }) => Key.slice(folder.length)));
  }, [s3, folder]);

  useEffect(() => void list().catch(setError), [list]);

  async function upload(file) {
    setError(undefined);
    setProgress(0);
    try {
      const upload = new Upload({ client: s3, params: { Bucket: bucket, Key: folder + file.name, Body: file, ContentType: file.type } });
      upload.on('httpUploadProgress', ({ loaded, total }) => setProgress(loaded / total));
      await upload.done();
      await list();
    } catch (failure) {
      setError(failure);
    } finally {
      setProgress(undefined);
    }
  }

  return (
    <>
      <p>
        <label>
          A video <input type="file" disabled={progress !== undefined} onChange={({ target: { files } }) => files[0] && upload(files[0])} />
        </label>
        {progress !== undefined && <progress aria-label="Upload" value={progress} />}
      </p>
      {error && <p role="alert">{error.message}</p>}
      <ul>{names.map((name) => <li key={name}>{name}</li>)}</ul>
    </>
  );
}
