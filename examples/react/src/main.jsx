import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { DaypassProvider, useDaypass } from '@daypass/browser/react';
import { daypass } from './daypass.js';
import { Videos } from './Videos.jsx';

function Page() {
  const { session, isLoading, error } = useDaypass();
  if (isLoading) return null;
  return (
    <>
      <h1>Videos</h1>
      {session ? <SignedIn session={session} /> : <button onClick={() => daypass.signIn()}>Sign in</button>}
      {error && <p role="alert">{error.message}</p>}
    </>
  );
}

/** The key makes whoever signs in next begin with nothing of the one before. */
function SignedIn({ session }) {
  const [error, setError] = useState();
  return (
    <>
      <p>
        Signed in as {session.user.name ?? session.identityId} <button onClick={() => daypass.signOut().catch(setError)}>Sign out</button>
      </p>
      {error && <p role="alert">{error.message}</p>}
      <Videos key={session.identityId} session={session} />
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <DaypassProvider daypass={daypass}>
      <Page />
    </DaypassProvider>
  </StrictMode>,
);
