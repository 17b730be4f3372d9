// @ts-check
/**
 * Keeps one session alive. What is young enough is handed out of memory. What is due is asked for once: by one promise
 * in this tab, by one tab through a lock, and whoever had to wait finds in the storage what another tab got. The server
 * decides who is right; nothing is written over what somebody else put into the storage meanwhile, so that a sign-out
 * stays a sign-out. No failure is passed on while what is there still lives.
 */
import { DaypassError } from './errors.js';
import { isFresh, startWatch, timeLeft } from './lifetime.js';
import { underLock } from './lock.js';
import { isPassing } from './patience.js';
import { isSameSession } from './session.js';

/** @typedef {import('./session.js').Kept} Kept */
/** @typedef {import('./session.js').Received} Received */
/** @typedef {import('./lifetime.js').Part} Part */
/** @typedef {{kept: Kept, watch: import('./lifetime.js').Watch}} Held */
/** @typedef {import('./events.js').DaypassEvents} DaypassEvents */
/** @typedef {import('./events.js').EndReason} EndReason */

/**
 * @typedef {object} Keeping
 * @property {import('./platform.js').Platform} platform
 * @property {string} name of the lock and the channel
 * @property {import('./shelf.js').Shelf} shelf
 * @property {import('./patience.js').Patience} patience
 * @property {import('./events.js').Events} events
 * @property {(message: object) => void} post to the other tabs
 * @property {(kept: Kept) => Promise<Received | EndReason>} renew asks the server for the next; or why there is none
 * @property {(refreshToken: string | undefined) => void} discard ends what nobody needs any more, as well as it can
 * @property {boolean} [cookies] whether an answer changes what all tabs ask with, before anybody has written it down
 */

/** The session is over, or there was none: somebody has to sign in. */
export class SignedOutError extends DaypassError {
  /** @param {EndReason} [reason] */
  constructor(reason) {
    super('signed_out', reason ? `The session is over (${reason}): sign in again` : 'Nobody is signed in');
    /** @readonly */
    this.reason = reason;
  }
}

/** How long another tab's writing may take to be seen here. */
const STORAGE_LAG = 500;
const LOOK_EVERY = 20;

/** A lock that takes longer was another tab's. What that one did is looked for so long, if it is not told before. */
const HAD_TO_WAIT = 5;
const SILENT_LAG = 100;

/** As long as this a caller is kept waiting for another attempt, when there is nothing else to hand out. */
const LONGEST_PAUSE = 5_000;
const ATTEMPTS = 3;

export class Keeper {
  #with;
  /** @type {Held | undefined} */
  #held;
  #looked = false;
  #isStale = true;
  /** @type {Promise<void> | undefined} */
  #flight;
  /** @type {(() => void)[]} */
  #untold = [];
  /** @type {EndReason | undefined} */
  #reason;
  /** What another tab has written, as long as the storage does not show it here. @type {string | undefined} */
  #expected;
  /** Sessions that are over, whoever writes them once more. @type {Set<string>} */
  #over = new Set();

  /** @param {Keeping} keeping */
  constructor(keeping) {
    this.#with = keeping;
  }

  /** What is known here, from memory unless something may have happened elsewhere. @returns {Promise<Kept | undefined>} */
  async current() {
    return (await this.#current())?.kept;
  }

  async #current() {
    if (this.#isStale) await this.look();
    return this.#held;
  }

  /** Memory counts no more before somebody looked into the storage. */
  forget() {
    this.#isStale = true;
  }

  /** Sees what there is in the storage. @param {EndReason} [reason] why it is gone, if it is */
  async look(reason) {
    await this.#see(reason);
    this.#tell();
  }

  /** @param {EndReason} [reason] */
  async #see(reason) {
    const kept = await this.#read();
    this.#isStale = false;
    this.#take(kept, reason);
  }

  /**
   * Another tab says that it wrote something, or that a session is over. Browsers may tell so before the storage shows it.
   * @param {{generation?: string, over?: string, reason?: EndReason}} message
   */
  async hear({ generation, over, reason }) {
    this.#expected = generation;
    if (over) this.#over.add(over);
    await this.look(reason);
  }

  /** What is there, but for a session that is over. */
  async #read() {
    const kept = await this.#with.shelf.read();
    if (kept?.version === this.#expected) this.#expected = undefined;
    if (!kept || !this.#over.has(nameOf(kept))) return kept;
    this.#takeOut(kept);
    return undefined;
  }

  /**
   * A session that is over may be there because a tab wrote it too late, and then has to go; or only because the storage
   * does not show yet what has come in its place. Time tells.
   * @param {Kept} kept
   */
  #takeOut({ version }) {
    const { platform, shelf } = this.#with;
    platform.setTimeout(async () => {
      if ((await shelf.read())?.version === version) await shelf.clear();
    }, 2 * STORAGE_LAG);
  }

  /**
   * What is in the storage, when what is known to be written has arrived in it. A lock may come before the word of
   * whoever had it, and before what they wrote.
   * @param {Kept} [before] @param {boolean} [hadToWait] for the lock
   */
  async #readNext(before, hadToWait) {
    let stored = await this.#read();
    const lag = () => (this.#expected ? STORAGE_LAG : hadToWait ? SILENT_LAG : 0);
    for (let waited = 0; stored?.version === before?.version && waited < lag(); waited += LOOK_EVERY) {
      await this.#pause(LOOK_EVERY);
      stored = await this.#read();
    }
    return stored;
  }

  /**
   * A session of which this part lives: young enough, or the best that there is.
   * @param {Part} part
   * @param {boolean} force whether what is young enough will not do
   * @returns {Promise<Held>}
   */
  async need(part, force) {
    let failure;
    for (let round = 0; round < 2 && !failure; round += 1) {
      const held = await this.#current();
      if (!held) throw new SignedOutError(this.#reason);
      if (this.#fresh(held, part) && !(force && round === 0)) return held;
      failure = await this.#renewOnce(held, part).catch((error) => error);
    }
    const held = await this.#current();
    if (held && this.timeLeft(held, part) > 0) return held;
    throw held ? (failure ?? new DaypassError('already_over', `The ${part} was over when it came`)) : new SignedOutError(this.#reason);
  }

  /** @param {Held} held @param {Part} part */
  timeLeft({ kept, watch }, part) {
    return timeLeft(kept, part, watch, this.#with.platform);
  }

  /** @param {Held} held @param {Part} part */
  #fresh({ kept, watch }, part) {
    return isFresh(kept, part, watch, this.#with.platform);
  }

  /** The page is back before somebody's eyes: what happened meanwhile, and what is due. */
  async wake() {
    this.forget();
    const held = await this.#current();
    if (held && !this.#fresh(held, 'credentials')) await this.#renewOnce(held, 'credentials');
  }

  /** @param {Held} held @param {Part} part */
  #renewOnce(held, part) {
    this.#flight ??= this.#renew(held, part).finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  /** Asks until somebody answers; more than once only for those who have nothing to go on with. @param {Held} held @param {Part} part */
  async #renew(held, part) {
    const { patience, events, platform: { elapsed } } = this.#with;
    patience.check();
    for (;;) {
      try {
        const asked = elapsed();
        await this.#locked(() => this.#renewLocked(held, elapsed() - asked > HAD_TO_WAIT));
        return patience.over();
      } catch (error) {
        const wait = patience.failed(error);
        events.emit('error', error);
        const lives = this.timeLeft(held, part) > 0;
        if (lives || wait > LONGEST_PAUSE || patience.failures >= ATTEMPTS || !isPassing(error)) throw error;
        await this.#pause(wait);
      }
    }
  }

  /** Listeners are told when the lock is free again. @template T @param {() => Promise<T>} work */
  async #locked(work) {
    const { platform, name } = this.#with;
    try {
      return await underLock(platform, name, work);
    } finally {
      this.#tell();
    }
  }

  /** @param {number} milliseconds @returns {Promise<void>} */
  #pause(milliseconds) {
    return new Promise((resolve) => this.#with.platform.setTimeout(resolve, milliseconds));
  }

  /** @param {Held} from what was due in this tab @param {boolean} hadToWait for the lock */
  async #renewLocked(from, hadToWait) {
    const { renew } = this.#with;
    const stored = await this.#readNext(from.kept, hadToWait);
    if (stored?.version !== from.kept.version) return this.#take(stored);
    const next = await renew(from.kept);
    return typeof next === 'string' ? this.#ended(from.kept, next) : this.#replace(from.kept, next);
  }

  /** Writes the answer, if nobody wrote meanwhile. @param {Kept} before @param {Received} received */
  async #replace(before, received) {
    const { shelf, discard } = this.#with;
    const written = this.#over.has(nameOf(before)) ? undefined : await shelf.replace(before, received);
    if (written) return this.#announce(written);
    const now = await this.#read();
    this.#take(now);
    return now ? undefined : discard(received.secrets.refreshToken);
  }

  /** @param {Received} received */
  async #put(received) {
    const kept = await this.#with.shelf.write(received);
    this.#announce(kept);
    return kept;
  }

  /** What was written just now. @param {Kept} kept */
  #announce(kept) {
    this.#take(kept);
    this.#with.post({ type: 'changed', generation: kept.version });
  }

  /** The server refused what this tab asked with: was it the session's last word? @param {Kept} before @param {EndReason} reason */
  async #ended(before, reason) {
    const now = await this.#read();
    if (now?.version === before.version) return this.#remove(before, reason);
    this.#take(now, reason);
  }

  /** @param {Kept} before @param {EndReason} reason */
  async #remove(before, reason) {
    const over = nameOf(before);
    this.#over.add(over);
    await this.#with.shelf.clear();
    this.#take(undefined, reason);
    this.#with.post({ type: 'ended', over, reason });
  }

  /**
   * Somebody signs in. Another one is wiped first. What is in a cookie cannot be written only if nobody else wrote it, so
   * then no refresh is under way meanwhile.
   * @param {() => Promise<Received>} redeem
   * @returns {Promise<Kept>}
   */
  adopt(redeem) {
    const work = () => this.#adopt(redeem);
    return this.#with.cookies ? this.#locked(work) : work().finally(() => this.#tell());
  }

  /** @param {() => Promise<Received>} redeem */
  async #adopt(redeem) {
    const received = await redeem();
    await this.#see();
    const before = this.#held?.kept;
    if (before && before.session.identityId !== received.session.identityId) await this.#remove(before, 'replaced');
    const kept = await this.#put(received);
    this.#with.discard(before?.secrets.refreshToken);
    return kept;
  }

  /** What there is, or what is made now, by one tab. @param {() => Promise<Received>} make @returns {Promise<Kept>} */
  async currentOr(make) {
    await this.look();
    return this.#locked(async () => {
      const stored = await this.#readNext();
      if (stored) this.#take(stored);
      return stored ?? this.#put(await make());
    });
  }

  /** Removes the session from every tab, and says what it was. @param {EndReason} reason */
  async end(reason) {
    await this.look();
    const before = this.#held?.kept;
    if (before) await this.#remove(before, reason);
    this.#tell();
    return before;
  }

  /** @param {Kept | undefined} kept @param {EndReason} [reason] */
  #take(kept, reason = 'signed_out') {
    const before = this.#held?.kept;
    const isFirst = !this.#looked;
    this.#looked = true;
    if (before?.version === kept?.version) return;
    this.#held = kept && { kept, watch: startWatch(this.#with.platform) };
    this.#reason = kept ? undefined : reason;
    if (!isFirst) this.#note(before, kept, reason);
  }

  /** @param {Kept | undefined} before @param {Kept | undefined} kept @param {EndReason} reason */
  #note(before, kept, reason) {
    const isOther = before && before.session.identityId !== kept?.session.identityId;
    if (isOther) this.#later('signout', { session: before.session, reason: kept ? 'replaced' : reason });
    if (kept) this.#later(before && isSameSession(before, kept) ? 'refresh' : 'signin', kept.session);
  }

  /** @template {keyof DaypassEvents} E @param {E} event @param {DaypassEvents[E]} detail */
  #later(event, detail) {
    this.#untold.push(() => this.#with.events.emit(event, detail));
  }

  #tell() {
    for (const tell of this.#untold.splice(0)) tell();
  }
}

/** A sign-in's own name; a guest has the identity's. @param {Kept} kept */
const nameOf = ({ session }) => session.id ?? session.identityId;
