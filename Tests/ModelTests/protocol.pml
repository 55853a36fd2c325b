/*
 * The protocol of ARCHITECTURE.md ("The path of one order", "Epochs: the protocol"), for Spin. `ModelTests` searches every
 * state of it; docs/model.md says what that covers.
 *
 * Manually: spin -a -DCRASHES=1 -DLOSSES=1 protocol.pml && cc -O1 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m100000
 * A counterexample, step by step: the same with, for instance, -DNO_CHAIN, then
 *           spin -t -p -DCRASHES=1 -DLOSSES=1 -DNO_CHAIN protocol.pml
 *
 * A transition is one atomic step. It may include work that changes only the memory of one process, because a crash
 * before such work leaves the same state as one after it. Comments name the function that a transition models.
 *
 * The stream holds, in this order:  0: order 0   1: order 1   2: a cancellation of all of order 0   3: order 2
 * (the first ENTRIES of them), of one unit each, and there are CAP units. Index COPY is the cancellation, republished
 * by the consumer after it was a dead letter because its order was missing. A message's index is also its id, unless
 * an id was reused (REUSES).
 */

/* ---- Configurations: what may happen, and how often -------------------------------------------------------------- */

#ifndef CAP
#define CAP 1
#endif
#ifndef ENTRIES
#define ENTRIES 4
#endif
#ifndef CRASHES
#define CRASHES 0           /* kill -9 of a consumer between any two steps; it is started again */
#endif
#ifndef LOSSES
#define LOSSES 0            /* Redis returns to an earlier state: a cut tail, a snapshot, a lagging replica */
#endif
#ifndef REUSES
#define REUSES 0            /* 1: a loss ends connections, and ids are reused for other messages (MAY_REUSE); */
#endif                      /* DOUBTS_END: after the loss only commands that were on their way are in doubt */
#ifndef WIPES
#define WIPES 0             /* FLUSHALL; publishers resend in their original order */
#endif
#ifndef DOUBTS
#define DOUBTS 0            /* a command's reply is lost: it was executed, was not, or will be later */
#endif
#ifndef STRAYS
#define STRAYS 0            /* an entry is delivered to a connection that is dead without Redis knowing */
#endif
#ifndef EDITS
#define EDITS 0             /* a counter is edited manually; EDITS_DOWN: never higher */
#endif
#ifndef BACKUPS
#define BACKUPS 0           /* the ledger is copied at any time, and the copy restored while no consumer is active */
#endif
#ifndef USURPER
#define USURPER 0           /* epochs opened by a second process that wrongly believes it is active */
#endif
#ifdef ANNOUNCES            /* models the announcing of journal rows; without it, only who was told which result */
#define ANNOUNCE 1
#else
#define ANNOUNCE 0
#endif
#ifndef BATCH
#define BATCH 2             /* the most entries per batch; code: ConsumerSettings.batchOrders */
#endif
#if USURPER
#define CONSUMERS 2
#else
#define CONSUMERS 1
#endif
#define MAX_EPOCH 12        /* more than the bounds above can lead to: reaching it means endless epochs */
#define COPY 4
#define QUEUE 8

/* ---- Guards: each switch leaves out exactly one comparison ------------------------------------------------------- */

#ifdef NO_GATE_EPOCH        /* gate.lua: found[2] ~= ARGV[2] */
#define GATE_EPOCH 0
#else
#define GATE_EPOCH 1
#endif
#ifdef NO_CHAIN             /* gate.lua: found[3] ~= ARGV[3] */
#define CHAIN 0
#else
#define CHAIN 1
#endif
#ifdef NO_RECORD_EPOCH      /* BatchWriter.init: head.epoch == batch.epoch */
#define RECORD_EPOCH 0
#else
#define RECORD_EPOCH 1
#endif
#ifdef NO_RECORD_CHAIN      /* BatchWriter.init: head.seq == batch.seqBefore */
#define RECORD_CHAIN 0
#else
#define RECORD_CHAIN 1
#endif
#ifdef NO_ARBITER           /* Arbiter.confirm: the ledger's own counters must give the gate's decision */
#define ARBITER 0
#else
#define ARBITER 1
#endif
#ifdef NO_INSTALL_LOWER     /* install.lua: EPOCH_NOT_LOWER */
#define INSTALL_LOWER 0
#else
#define INSTALL_LOWER 1
#endif
#ifdef NO_INSTALL_SETTLED   /* install.lua: LEDGER_BEHIND, by settled and recorded */
#define INSTALL_SETTLED 0
#else
#define INSTALL_SETTLED 1
#endif
#ifdef NO_START_EPOCH       /* CounterHead.refuseWrongLedger: epoch > head.epoch */
#define START_EPOCH 0
#else
#define START_EPOCH 1
#endif
#ifdef NO_START_SETTLED     /* CounterHead.refuseWrongLedger: settled > head.seq or recorded > head.messages */
#define START_SETTLED 0
#else
#define START_SETTLED 1
#endif

#ifdef NO_ACK_FENCE         /* acknowledge.lua: FENCED */
#define ACK_FENCE 0
#else
#define ACK_FENCE 1
#endif
#ifdef NO_ACK_SEQ           /* acknowledge.lua: seq < ARGV[3] */
#define ACK_SEQ 0
#else
#define ACK_SEQ 1
#endif
#ifdef NO_READ_CONNECTION   /* StreamReader.next: on the connection of the previous read, or reading fails */
#define READ_CONNECTION 0
#else
#define READ_CONNECTION 1
#endif
#ifdef NO_READ_CONNECTED    /* the same for the first read: on a connection that is older than the epoch */
#define READ_CONNECTED 0
#else
#define READ_CONNECTED 1
#endif
#ifdef NO_READ_EPOCH        /* ConsumerStateMachine.connected: after a failed read a new epoch comes first */
#define READ_EPOCH 0
#else
#define READ_EPOCH 1
#endif
#ifdef NO_READ_EMPTY        /* ConsumerStateMachine.startReading: isMemoryEmpty, before that epoch */
#define READ_EMPTY 0
#else
#define READ_EMPTY 1
#endif
#ifdef NO_ANNOUNCE_FENCE    /* acknowledge.lua: announced == ARGV[8] */
#define ANNOUNCE_FENCE 0
#else
#define ANNOUNCE_FENCE 1
#endif
#ifdef NO_ANNOUNCE_CARRY    /* install.lua: 'announced' is Redis' value, not the ledger's position */
#define ANNOUNCE_CARRY 0
#else
#define ANNOUNCE_CARRY 1
#endif
#ifdef NO_ANNOUNCE_INSIDE   /* install.lua: and it is read in the step that replaces the counters */
#define ANNOUNCE_INSIDE 0
#else
#define ANNOUNCE_INSIDE 1
#endif
#define INTACT (GATE_EPOCH && CHAIN && RECORD_EPOCH && RECORD_CHAIN && ARBITER && INSTALL_LOWER && INSTALL_SETTLED && \
  START_EPOCH && START_SETTLED && ACK_FENCE && ACK_SEQ && READ_CONNECTION && READ_CONNECTED && READ_EPOCH && \
  READ_EMPTY)

/* ---- State ------------------------------------------------------------------------------------------------------- */

/* The result of a message; while it is in a batch, the plan for it. */
#define NONE 0
#define PLACE 1              /* plan: an order; the gate decides */
#define CANCEL 2              /* plan: a cancellation; its unit is returned */
#define KNOWN 3             /* already recorded, or in the batch before this one, or earlier in this one */
#define UNKNOWN_ORDER 4     /* a cancellation whose order is missing: a dead letter */
#define ACCEPTED 5
#define REFUSED 6
#define GAVE 7              /* cancelled, one unit was returned */
#define NOTHING 8           /* cancelled, nothing was owned */

/* Redis: the hash …:stock, and the group of …:checkouts. epoch 0: no hash. Sets of entries are bit masks. */
typedef Server {
  byte epoch; byte seq; byte settled; byte recorded; short sold;
  byte delivered; byte acknowledged; bit copied
#if ANNOUNCE
  ; byte announced; byte last   /* the watermark; the last row on the stream of outcomes */
#endif
#if REUSES
  ; byte reused             /* n + 1: the ids n and n + 1 have each other's messages; 0: each id has its own */
#endif
}
Server redis;
#if LOSSES
Server saved;               /* the state that Redis will return to */
bit isSaved;
#endif

/* The ledger. dead: the cancellation is 1 an open dead letter, 2 to be republished, 3 replayed. */
typedef File { byte epoch; byte seq; byte records; short sold; byte decision[4]; byte dead }
File ledger;
#if BACKUPS
File backup;
bit hasBackup;
bit isRefused;              /* a consumer has stopped: the ledger is stale */
byte restores = 1;
#endif

/* A consumer's memory. A crash resets all of it to 0. */
#define OFF 0
#define LOOK 1              /* a new epoch is needed */
#define RAISE 2
#define INSTALL 3
#define RUN 4
#define CLAIM 1             /* once memory is empty: claim pending entries */
#define EPOCH_THEN_CLAIM 2  /* once memory is empty: connect, open an epoch, then claim */
#define UNDER_WAY 1
#define TURNED_DOWN 2
typedef Memory {
  byte state;
  byte epoch; byte seq;                       /* ConsumerStateMachine.epoch, .seq */
  byte startRecords; short startSold;         /* EpochStart, until it is installed */
  unsigned resume : 2;                        /* Reading.next: 0, CLAIM or EPOCH_THEN_CLAIM */
  byte queue[QUEUE]; byte count;              /* BatchQueue */
  byte entry[2]; byte plan[2]; byte size;     /* a batch that is prepared or decided */
  bit isDecided; byte seqBefore;
  byte recEntry[2]; byte recPlan[2]; byte recSize; byte recSeqBefore;   /* recording */
  byte recState;
  bit acknowledging; byte setEntries; byte setEpoch; byte setSeq; byte setRecords
#if REUSES
  ; byte setMessages
#endif
#if ANNOUNCE
  ; byte announced             /* AnnouncementProgress.announced */
  ; byte startAnnounced        /* NO_ANNOUNCE_INSIDE only */
#endif
}
Memory c[CONSUMERS];

/* A command on its way through a connection that the sender has abandoned. */
#define GATE 1
#define INSTALLATION 2
#define SETTLEMENT 3
#define ANNOUNCEMENT 4
byte lateKind, lateEpoch, lateSeq, lateA, lateB;
short lateSold;

byte crashes = CRASHES, losses = LOSSES, wipes = WIPES, doubts = DOUBTS, strays = STRAYS, edits = EDITS,
  backups = BACKUPS, usurperEpochs = USURPER;
bit isOver;                 /* no more faults occur */

/* The results that customers and publishers have received, by message. */
byte toldYes, toldNo;

#if BACKUPS
#define MAY_START !isRefused
#else
#define MAY_START 1
#endif

/* Scratch, 0 between steps. */
hidden byte i, k, e, first, second;
hidden byte isFenced, waits, isKnown;
hidden short s;

/* ---- Definitions ------------------------------------------------------------------------------------------------- */

#define BIT(x) (1 << (x))
#define PUBLISHED (BIT(ENTRIES) - 1 + (redis.copied << COPY))
#define PENDING (redis.delivered & ~redis.acknowledged)
#define UNREAD (PUBLISHED & ~redis.delivered)
/* An entry in memory: its id if that is also its message, else 8 * (message + 1) + id. Redis needs only the ids. */
#if REUSES
#define ID(x) ((x) & 7)
#define CONTENT(x) ((x) > 7 -> ((x) >> 3) - 1 : ((x) == COPY -> 2 : (x)))
#define ENTRY(id) (redis.reused != 0 && (id) + 1 == redis.reused -> (id) + 8 * ((id) + 2) : \
  (redis.reused != 0 && (id) == redis.reused -> (id) + 8 * (id) : (id)))
#define SET_MESSAGES ME.setMessages
#define LATE_MESSAGES lateSold
#else
#define ID(x) (x)
#define CONTENT(x) ((x) == COPY -> 2 : (x))
#define ENTRY(id) (id)
#define SET_MESSAGES ME.setEntries
#define LATE_MESSAGES lateB
#endif
#define IS_CANCELLATION(x) (CONTENT(x) == 2)
#define ME c[p]
#define MEMORY_EMPTY (ME.count == 0 && ME.size == 0 && ME.recSize == 0 && !ME.acknowledging)
#define OWNED(x) (ledger.decision[x] == ACCEPTED && ((x) != 0 || ledger.decision[2] == NONE))
#define WAITS(x) (IS_CANCELLATION(x) && ((CONTENT(ME.recEntry[0]) == 0 && IS_DECIDED(ME.recPlan[0])) || \
  (CONTENT(ME.recEntry[1]) == 0 && IS_DECIDED(ME.recPlan[1]))))
/* While the gate decides, nothing else is compared with the counters. */
#define AT_GATE (ME.size > 0 && !ME.isDecided)
#define NEEDS_GATE(plan) ((plan) == PLACE || (plan) == CANCEL || (plan) == NOTHING)
#define IS_DECIDED(plan) ((plan) == ACCEPTED || (plan) == REFUSED || (plan) == GAVE || (plan) == NOTHING)
#define ASKS_GATE (NEEDS_GATE(ME.plan[0]) || NEEDS_GATE(ME.plan[1]))
#define CHANGES(plan) ((plan) == ACCEPTED || (plan) == GAVE)
#define IS_RECORD(plan) ((plan) != NONE && (plan) != KNOWN)
#define HAS_RECORDS (IS_RECORD(ME.recPlan[0]) || IS_RECORD(ME.recPlan[1]))

inline forget() {
  ME.state = OFF; ME.epoch = 0; ME.seq = 0; ME.startRecords = 0; ME.startSold = 0; ME.resume = 0;
  i = 0; do :: i < QUEUE -> ME.queue[i] = 0; i++ :: else -> break od;
  ME.count = 0;
#if ANNOUNCE
  ME.announced = 0; ME.startAnnounced = 0;
#endif
  forgetBatch(); forgetRecording(); forgetAcknowledging(); i = 0
}
inline forgetBatch() {
  ME.entry[0] = 0; ME.entry[1] = 0; ME.plan[0] = 0; ME.plan[1] = 0; ME.size = 0; ME.isDecided = 0; ME.seqBefore = 0
}
inline forgetRecording() {
  ME.recEntry[0] = 0; ME.recEntry[1] = 0; ME.recPlan[0] = 0; ME.recPlan[1] = 0; ME.recSize = 0; ME.recSeqBefore = 0;
  ME.recState = 0
}
inline forgetAcknowledging() {
  ME.acknowledging = 0; ME.setEntries = 0; ME.setEpoch = 0; ME.setSeq = 0; ME.setRecords = 0; SET_MESSAGES = 0
}
inline forgetLate() { lateKind = 0; lateEpoch = 0; lateSeq = 0; lateA = 0; lateB = 0; lateSold = 0 }

/* BatchQueue.putBack, one entry */
inline putBack(x) {
  assert(ME.count < QUEUE);
  i = ME.count;
  do :: i > 0 -> ME.queue[i] = ME.queue[i - 1]; i-- :: else -> break od;
  ME.queue[0] = x; ME.count++
}
inline removeFirst() {
  i = 0;
  do :: i + 1 < ME.count -> ME.queue[i] = ME.queue[i + 1]; i++ :: else -> break od;
  ME.count--; ME.queue[ME.count] = 0; i = 0
}

/* ---- The scripts ------------------------------------------------------------------------------------------------- */

/* gate.lua. `a` and `b` are plans, and become decisions. */
inline gate(wantedEpoch, wantedSeq, a, b) {
  isFenced = (redis.epoch == 0 || (GATE_EPOCH && redis.epoch != wantedEpoch) || (CHAIN && redis.seq != wantedSeq));
  if
  :: isFenced
  :: else -> redis.seq = wantedSeq; decideOne(a); decideOne(b)
  fi
}
inline decideOne(a) {
  if
  :: a == PLACE && redis.sold + 1 <= CAP -> redis.sold++; redis.seq++; a = ACCEPTED
  :: a == PLACE && redis.sold + 1 > CAP -> a = REFUSED
  :: a == CANCEL -> redis.sold--; redis.seq++; a = GAVE
  :: else
  fi
}

/* install.lua. The staged hash under its separate key is not modelled: it is one more guard (INCOMPLETE). */
inline install(newEpoch, newSeq, newRecords, newSold) {
  isFenced = (INSTALL_LOWER && redis.epoch >= newEpoch) ||
    (INSTALL_SETTLED && (redis.settled > newSeq || redis.recorded > newRecords));
  if
  :: isFenced
  :: else ->
    redis.epoch = newEpoch; redis.seq = newSeq; redis.settled = newSeq; redis.recorded = newRecords;
    redis.sold = newSold;
#if ANNOUNCE
    if
    :: !ANNOUNCE_CARRY -> redis.announced = newRecords
    :: ANNOUNCE_CARRY && redis.announced > newRecords -> redis.announced = 0
    :: else
    fi;
#endif
    checkShown()
  fi
}

/* acknowledge.lua. An XACK of entries that are not pending does nothing. */
inline acknowledge(batchEpoch, batchSeq, batchRecords, entries, messages) {
  isFenced = (ACK_FENCE && redis.epoch != batchEpoch) || (ACK_SEQ && redis.seq < batchSeq);
  if
  :: isFenced
  :: else ->
    if
    :: redis.epoch == batchEpoch ->
      if :: redis.settled < batchSeq -> redis.settled = batchSeq :: else fi;
      if :: redis.recorded < batchRecords -> redis.recorded = batchRecords :: else fi
    :: else
    fi;
    redis.acknowledged = redis.acknowledged | (redis.delivered & entries);
    announce(0, messages); announce(1, messages); announce(2, messages); announce(3, messages);
    checkTold()
  fi
}
#if ANNOUNCE
/* acknowledge.lua, announcing: the rows after `from`, up to `through`. */
inline announceRows(batchEpoch, batchSeq, from, through) {
  if
  :: redis.epoch == batchEpoch && redis.seq >= batchSeq && (!ANNOUNCE_FENCE || redis.announced == from) ->
    /* Each row follows the previous one: none is skipped, and none is repeated. */
    assert(redis.last == from);
    redis.last = through; redis.announced = through
  :: else
  fi
}
#endif
/* The result that a message's sender receives: with its row, or again. */
inline announce(x, messages) {
  if
  :: (messages & (BIT(x) + (x == 2 -> BIT(COPY) : 0))) && ledger.decision[x] != NONE ->
    if
    :: ledger.decision[x] == ACCEPTED || ledger.decision[x] == GAVE -> toldYes = toldYes | BIT(x)
    :: else -> toldNo = toldNo | BIT(x)
    fi
  :: else
  fi
}

/* ConsumerStateMachine.readFailed */
inline readFailed(consumer) { c[consumer].resume = (READ_EPOCH -> EPOCH_THEN_CLAIM : CLAIM) }

/* XREADGROUP: the next entry, k */
inline deliver() {
  do :: (UNREAD & BIT(k)) == 0 -> k++ :: else -> break od;
  redis.delivered = redis.delivered | BIT(k)
}

/* ---- Invariants -------------------------------------------------------------------------------------------------- */

/* No sender gets two results, and no more units are promised than there are, across all ledgers. */
inline checkTold() {
  assert((toldYes & toldNo) == 0);
  assert(((toldYes & 1) + ((toldYes >> 1) & 1) + ((toldYes >> 3) & 1) -
    ((toldYes & BIT(2)) != 0 || ledger.decision[2] == GAVE)) <= CAP)
}
/* If Redis forgets nothing and nothing is cancelled, sold units are never shown as available. */
inline checkShown() {
#ifdef SHOWN
  assert(redis.epoch == 0 || redis.sold >= ledger.sold)
#else
  skip
#endif
}

/* ---- The stages -------------------------------------------------------------------------------------------------- */

/* BatchPlanner.plan, for one entry: sets waits, or its plan. Earlier in the same batch: ME.entry[0], if size is 1. */
inline planOf(x, answer) {
  waits = 0;
  if
  /* recorded */
  :: ledger.decision[CONTENT(x)] != NONE -> answer = KNOWN
  /* already a dead letter: stays one */
  :: x == 2 && ledger.dead != 0 -> answer = KNOWN
  :: else ->
    isKnown = (ME.size == 1 && CONTENT(ME.entry[0]) == CONTENT(x) && NEEDS_GATE(ME.plan[0])) ||
      (CONTENT(ME.recEntry[0]) == CONTENT(x) && IS_DECIDED(ME.recPlan[0])) ||
      (CONTENT(ME.recEntry[1]) == CONTENT(x) && IS_DECIDED(ME.recPlan[1]));
    if
    :: isKnown -> answer = KNOWN
    :: !isKnown && !IS_CANCELLATION(x) -> answer = PLACE
    :: !isKnown && IS_CANCELLATION(x) ->
      /* A cancellation waits for its order to be recorded. */
      waits = (ME.size == 1 && CONTENT(ME.entry[0]) == 0 && ME.plan[0] == PLACE) || WAITS(x);
      if
      :: waits
      :: !waits && ledger.decision[0] == NONE -> answer = UNKNOWN_ORDER
      :: !waits && ledger.decision[0] != NONE && OWNED(0) -> answer = CANCEL
      :: else -> answer = NOTHING
      fi
    fi
  fi
}

/* startRecording: one batch at a time, and the previous one must be acknowledged (the code lets two wait). */
inline startRecording() {
  if
  :: ME.isDecided && ME.recSize == 0 && !ME.acknowledging ->
    ME.recEntry[0] = ME.entry[0]; ME.recEntry[1] = ME.entry[1];
    ME.recPlan[0] = ME.plan[0]; ME.recPlan[1] = ME.plan[1];
    ME.recSize = ME.size; ME.recSeqBefore = ME.seqBefore; ME.recState = UNDER_WAY;
    forgetBatch()
  :: else
  fi
}

/* Arbiter.confirm, for one record. Running total: s. isFenced: the batch is rejected. */
inline arbitrate(x, plan) {
  if
  :: isFenced || plan == KNOWN || plan == NONE || plan == UNKNOWN_ORDER
  :: else ->
    e = CONTENT(x);
    if
    /* The tables' unique keys: the transaction fails, the process ends and is restarted. */
    :: ledger.decision[e] != NONE -> assert(!INTACT); isFenced = 1
    :: ledger.decision[e] == NONE && plan == ACCEPTED -> isFenced = ARBITER && s + 1 > CAP; s++
    :: ledger.decision[e] == NONE && plan == REFUSED -> isFenced = ARBITER && s + 1 <= CAP
    :: ledger.decision[e] == NONE && plan == GAVE -> isFenced = ARBITER && !OWNED(0); s--
    :: ledger.decision[e] == NONE && plan == NOTHING -> isFenced = ARBITER && OWNED(0)
    fi
  fi
}
/* BatchWriter.insert, for one record. A change takes the next seq. */
inline insert(x, plan) {
  if
  :: plan == UNKNOWN_ORDER ->
    if :: ledger.dead == 0 -> ledger.dead = 1; ledger.records++ :: else fi
  :: plan == ACCEPTED ->
    ledger.decision[CONTENT(x)] = ACCEPTED; ledger.records++; ledger.sold++; ledger.seq++;
    /* oversold */
    assert(ledger.sold <= CAP)
  :: plan == REFUSED ->
    /* refused although it fits */
    assert(ledger.sold + 1 > CAP);
    ledger.decision[CONTENT(x)] = REFUSED; ledger.records++
  :: plan == GAVE ->
    /* returned although it is not owned */
    assert(OWNED(0));
    ledger.decision[2] = GAVE; ledger.records++; ledger.sold--; ledger.seq++;
    assert(ledger.sold >= 0)
  :: plan == NOTHING ->
    /* a cancellation that missed owned units */
    assert(!OWNED(0));
    ledger.decision[2] = NOTHING; ledger.records++
  :: else
  fi;
  if
  :: (plan == ACCEPTED || plan == REFUSED) && CONTENT(x) == 0 && ledger.dead == 1 -> ledger.dead = 2
  :: (plan == GAVE || plan == NOTHING) && ledger.dead == 2 -> ledger.dead = 3
  :: else
  fi
}

/* recorded: the batch waits to be acknowledged. */
inline takeOver(total) {
  ME.acknowledging = 1; ME.setEpoch = ME.epoch;
  ME.setSeq = ME.recSeqBefore + CHANGES(ME.recPlan[0]) + CHANGES(ME.recPlan[1]); ME.setRecords = total;
  ME.setEntries = BIT(ID(ME.recEntry[0])) | (ME.recSize > 1 -> BIT(ID(ME.recEntry[1])) : 0);
#if REUSES
  ME.setMessages = BIT(CONTENT(ME.recEntry[0])) | (ME.recSize > 1 -> BIT(CONTENT(ME.recEntry[1])) : 0);
#endif
  forgetRecording(); startRecording()
}

/* EpochReason */
inline wantEpoch() { ME.state = LOOK }

/* ConsumerError.wrongLedger: the process ends. */
inline refuse() {
#if BACKUPS
  assert(restores == 0);
  isRefused = 1;
#else
  /* With one process the right ledger is never refused. */
  assert(USURPER);
#endif
  forget()
}

proctype Consumer(byte p) {
  /* It may stay here forever. */
  end: do
  /* ConsumerService.run: the lock is free (or believed to be), the ledger is opened. */
  :: d_step {
      ME.state == OFF && MAY_START && (p == 0 || usurperEpochs > 0) -> ME.state = LOOK; ME.resume = CLAIM
    }

  /* ---- Read: StreamReader.claim, .readNew; ConsumerStateMachine.startReading, .delivered ---- */
  :: d_step {
      ME.state == RUN && MEMORY_EMPTY && (ME.resume == CLAIM || (ME.resume == 0 && UNREAD == 0 && PENDING != 0)) ->
      ME.resume = 0;
      do
      :: k <= COPY -> if :: PENDING & BIT(k) -> ME.queue[ME.count] = ENTRY(k); ME.count++ :: else fi; k++
      :: else -> break
      od;
      k = 0
    }
  :: d_step {
      ME.state == RUN && !ME.resume && ME.count < BATCH && UNREAD != 0 ->
      deliver(); ME.queue[ME.count] = ENTRY(k); ME.count++; k = 0
    }
  /* The reply is lost (endRead). */
  :: d_step {
      ME.state == RUN && !ME.resume && ME.count < BATCH && UNREAD != 0 && doubts > 0 && !isOver ->
      doubts--; deliver(); k = 0; readFailed(p)
    }
  /* ConsumerStateMachine.startReading */
  :: d_step {
      ME.state == RUN && ME.resume == EPOCH_THEN_CLAIM && (MEMORY_EMPTY || (!READ_EMPTY && !AT_GATE)) ->
      ME.resume = CLAIM; wantEpoch()
    }

  /* ---- Decode, plan: BatchPlanner ---- */
  :: atomic {
      ME.state == RUN && ME.count > 0 && ME.size == 0 && !WAITS(ME.queue[0]) ->
      d_step {
        planOf(ME.queue[0], first); isKnown = 0;
        ME.plan[0] = first; ME.entry[0] = ME.queue[0]; ME.size = 1; ME.seqBefore = ME.seq; removeFirst(); first = 0
      }
      if
      :: BATCH > 1 && ME.count > 0 ->
        d_step {
          planOf(ME.queue[0], second); isKnown = 0;
          if
          :: waits
          :: else -> ME.plan[1] = second; ME.entry[1] = ME.queue[0]; ME.size = 2; removeFirst()
          fi;
          waits = 0; second = 0
        }
      :: BATCH == 1 || ME.count == 0
      fi
    }

  /* ---- Decide: DecideStage, gate.lua ---- */
  :: atomic {
      ME.state == RUN && ME.size > 0 && !ME.isDecided ->
      if
      :: d_step {
          !ASKS_GATE -> ME.isDecided = 1; startRecording()
        }
      :: d_step {
          ASKS_GATE ->
          gate(ME.epoch, ME.seq, ME.plan[0], ME.plan[1]);
          if
          :: isFenced -> wantEpoch()
          :: else ->
            ME.isDecided = 1;
            ME.seq = ME.seq + CHANGES(ME.plan[0]) + CHANGES(ME.plan[1]);
            startRecording()
          fi;
          isFenced = 0
        }
      /* It was executed, but the reply is lost. */
      :: d_step {
          ASKS_GATE && doubts > 0 && !isOver ->
          doubts--; gate(ME.epoch, ME.seq, ME.plan[0], ME.plan[1]); isFenced = 0; wantEpoch()
        }
      /* It will be executed later, or never. */
      :: d_step {
          ASKS_GATE && doubts > 0 && !isOver && lateKind == 0 ->
          doubts--; lateKind = GATE; lateEpoch = ME.epoch; lateSeq = ME.seq;
          lateA = ME.plan[0]; lateB = ME.plan[1]; wantEpoch()
        }
      fi
    }

  /* ---- Record: LedgerDatabase.record, then ConsumerStateMachine.recorded ---- */
  :: d_step {
      ME.recState == UNDER_WAY ->
      /* A batch in which everything is known changes nothing, and does not query the ledger. */
      if
      :: !HAS_RECORDS ->
        takeOver(0)
      :: else ->
        isFenced = (RECORD_EPOCH && ledger.epoch != ME.epoch) || (RECORD_CHAIN && ledger.seq != ME.recSeqBefore);
        s = ledger.sold;
        arbitrate(ME.recEntry[0], ME.recPlan[0]);
        arbitrate(ME.recEntry[1], ME.recPlan[1]);
        if
        :: isFenced -> ME.recState = TURNED_DOWN
        :: else ->
          /* every seq is assigned once, and none is skipped */
          assert(ledger.seq == ME.recSeqBefore);
          ledger.seq = ME.recSeqBefore;
          insert(ME.recEntry[0], ME.recPlan[0]);
          insert(ME.recEntry[1], ME.recPlan[1]);
          checkShown();
          takeOver(ledger.records)
        fi
      fi;
      isFenced = 0; s = 0; e = 0
    }
  :: d_step { ME.state == RUN && ME.recState == TURNED_DOWN && !AT_GATE -> wantEpoch() }

  /* ---- Acknowledge: ConsumerStateMachine.startAcknowledging, acknowledge.lua, .acknowledged ---- */
  :: atomic {
      ME.acknowledging ->
      if
      :: d_step {
          acknowledge(ME.setEpoch, ME.setSeq, ME.setRecords, ME.setEntries, SET_MESSAGES);
          if
          :: !isFenced -> forgetAcknowledging(); startRecording()
          /* It is sent again under the epoch that is current by then. */
          :: isFenced && ME.state == RUN && ME.setEpoch != ME.epoch -> ME.setEpoch = ME.epoch
          :: isFenced && ME.state == RUN && ME.setEpoch == ME.epoch && !AT_GATE -> wantEpoch()
          :: else
          fi;
          isFenced = 0
        }
      /* No reply: sent again, while the first one may still be executed. */
      :: d_step {
          doubts > 0 && !isOver && lateKind == 0 ->
          doubts--; lateKind = SETTLEMENT; lateEpoch = ME.setEpoch; lateSeq = ME.setSeq; lateA = ME.setRecords;
          lateB = ME.setEntries; LATE_MESSAGES = SET_MESSAGES
        }
      fi
    }

#if ANNOUNCE
  /* ---- Announce: AnnouncementProgress. The rows are the same from memory and from the ledger. ---- */
  :: atomic {
      ME.state == RUN && ME.announced < ledger.records ->
      if
      :: d_step {
          announceRows(ME.epoch, ledger.seq, ME.announced, ledger.records);
          ME.announced = (redis.epoch == ME.epoch -> redis.announced : ME.announced)
        }
      /* The reply is lost. */
      :: d_step {
          doubts > 0 && !isOver -> doubts--; announceRows(ME.epoch, ledger.seq, ME.announced, ledger.records)
        }
      :: d_step {
          doubts > 0 && !isOver && lateKind == 0 ->
          doubts--; lateKind = ANNOUNCEMENT; lateEpoch = ME.epoch; lateSeq = ledger.seq; lateA = ME.announced;
          lateB = ledger.records
        }
      fi
    }
  /* Once per second: AnnouncementProgress.look */
  :: d_step { ME.state == RUN && redis.epoch == ME.epoch && redis.announced != ME.announced ->
      ME.announced = redis.announced
    }
#endif

  /* ---- A new epoch: ConsumerStateMachine.openEpochIfClosed, CounterHead.refuseWrongLedger ---- */
  :: d_step {
      ME.state == LOOK && ME.recState != UNDER_WAY ->
      if
      :: ME.size > 1 -> putBack(ME.entry[1])
      :: else
      fi;
      if
      :: ME.size > 0 -> putBack(ME.entry[0])
      :: else
      fi;
      if
      :: ME.recSize > 1 -> putBack(ME.recEntry[1])
      :: else
      fi;
      if
      :: ME.recSize > 0 -> putBack(ME.recEntry[0])
      :: else
      fi;
      forgetBatch(); forgetRecording(); ME.epoch = 0; ME.seq = 0;
      if
      :: (START_EPOCH && redis.epoch > ledger.epoch) ||
        (START_SETTLED && (redis.settled > ledger.seq || redis.recorded > ledger.records)) -> refuse()
      :: else -> ME.state = RAISE
      fi
    }
  /* LedgerDatabase.raiseEpoch */
  :: d_step {
      ME.state == RAISE ->
      if
      :: p == 1 && usurperEpochs == 0 -> forget()
      :: else ->
        if :: p == 1 -> usurperEpochs-- :: else fi;
        assert(ledger.epoch < MAX_EPOCH);
        ledger.epoch++;
        ME.epoch = ledger.epoch; ME.seq = ledger.seq;
        ME.startRecords = ledger.records; ME.startSold = ledger.sold; ME.state = INSTALL;
#if ANNOUNCE
        ME.startAnnounced = (ANNOUNCE_INSIDE -> 0 : redis.announced);
#endif
      fi
    }
  /* CounterStore.install, install.lua */
  :: atomic {
      ME.state == INSTALL ->
      if
      :: d_step {
          install(ME.epoch, ME.seq, ME.startRecords, ME.startSold);
          if
          :: isFenced -> refuse()
          :: else ->
            ME.state = RUN; ME.startRecords = 0; ME.startSold = 0;
#if ANNOUNCE
            if :: !ANNOUNCE_INSIDE -> redis.announced = ME.startAnnounced :: else fi;
            ME.startAnnounced = 0; ME.announced = redis.announced
#endif
          fi;
          isFenced = 0
        }
      :: d_step {
          doubts > 0 && !isOver ->
          doubts--; install(ME.epoch, ME.seq, ME.startRecords, ME.startSold); isFenced = 0;
          ME.startRecords = 0; ME.startSold = 0; wantEpoch()
        }
      :: d_step {
          doubts > 0 && !isOver && lateKind == 0 ->
          doubts--; lateKind = INSTALLATION; lateEpoch = ME.epoch; lateSeq = ME.seq; lateA = ME.startRecords;
          lateSold = ME.startSold;
          ME.startRecords = 0; ME.startSold = 0; wantEpoch()
        }
      fi
    }

  /* ---- Once per second: ConsumerStateMachine.watched ---- */
  :: d_step {
      ME.state == RUN && !AT_GATE &&
      (ledger.epoch != ME.epoch || redis.epoch != ME.epoch || redis.seq != ME.seq) -> wantEpoch()
    }
  /* Dead letters whose order was recorded later are republished. */
  :: d_step { ME.state == RUN && ledger.dead == 2 && !redis.copied -> redis.copied = 1 }
#if EDITS
  /* stocktake reconcile --repair, which requests a new epoch */
  :: d_step { ME.state == RUN && MEMORY_EMPTY && redis.sold != ledger.sold && redis.seq == ledger.seq -> wantEpoch() }
#endif
  od
}

#if LOSSES
inline goBack() {
  losses--; isSaved = 0;
  redis.epoch = saved.epoch; redis.seq = saved.seq; redis.settled = saved.settled; redis.recorded = saved.recorded;
  redis.sold = saved.sold; redis.delivered = saved.delivered; redis.acknowledged = saved.acknowledged;
  redis.copied = saved.copied;
#if ANNOUNCE
  redis.announced = saved.announced; redis.last = saved.last; saved.announced = 0; saved.last = 0;
#endif
  saved.epoch = 0; saved.seq = 0; saved.settled = 0; saved.recorded = 0; saved.sold = 0; saved.delivered = 0;
  saved.acknowledged = 0; saved.copied = 0;
#if REUSES
  redis.reused = saved.reused; saved.reused = 0;
  cutOff()
#endif
}
#endif
#if REUSES
/* Redis returns to a state before id n, which has since been read, and all later ids. Publishers resend all of them,
 * but swap message n and the one after it. */
#define MAY_REUSE(n) (losses > 0 && isSaved && n + 1 < ENTRIES && (redis.delivered & BIT(n)) && \
  (saved.delivered >> n) == 0 && !saved.copied && saved.reused == 0)
/* The loss ends connections. A consumer notices only that its next read fails, and nothing earlier. */
inline cutOff() {
  i = 0;
  do
  :: i < CONSUMERS ->
    if
    :: c[i].state != OFF && ((READ_CONNECTION && c[i].resume == 0) || (READ_CONNECTED && c[i].resume != 0)) ->
      readFailed(i)
    :: else
    fi;
    i++
  :: else -> break
  od;
  i = 0;
#ifdef DOUBTS_END
  doubts = 0
#endif
}
#endif

/* The faults of Redis and the ledger, within the bounds, in any order; then there are no more. */
proctype World() {
  byte p;
  do
#if CRASHES
  :: d_step { crashes > 0 && c[0].state != OFF -> crashes--; p = 0; forget() }
#if USURPER
  :: d_step { crashes > 0 && c[1].state != OFF -> crashes--; p = 1; forget(); p = 0 }
#endif
#endif
#if DOUBTS
  :: d_step {
      lateKind == GATE -> gate(lateEpoch, lateSeq, lateA, lateB); isFenced = 0; forgetLate()
    }
  :: d_step { lateKind == INSTALLATION -> install(lateEpoch, lateSeq, lateA, lateSold); isFenced = 0; forgetLate() }
  :: d_step {
      lateKind == SETTLEMENT ->
      acknowledge(lateEpoch, lateSeq, lateA, lateB, LATE_MESSAGES); isFenced = 0; forgetLate()
    }
#if ANNOUNCE
  :: d_step { lateKind == ANNOUNCEMENT -> announceRows(lateEpoch, lateSeq, lateA, lateB); forgetLate() }
#endif
#endif
#if LOSSES
  :: d_step {
      losses > 0 && !isSaved -> isSaved = 1;
      saved.epoch = redis.epoch; saved.seq = redis.seq; saved.settled = redis.settled; saved.recorded = redis.recorded;
      saved.sold = redis.sold; saved.delivered = redis.delivered; saved.acknowledged = redis.acknowledged;
      saved.copied = redis.copied;
#if ANNOUNCE
      saved.announced = redis.announced; saved.last = redis.last;
#endif
#if REUSES
      saved.reused = redis.reused
#endif
    }
  :: d_step { losses > 0 && isSaved -> goBack() }
#if REUSES
  :: d_step { MAY_REUSE(0) -> goBack(); redis.reused = 1 }
  :: d_step { MAY_REUSE(1) -> goBack(); redis.reused = 2 }
  :: d_step { MAY_REUSE(2) -> goBack(); redis.reused = 3 }
#endif
#endif
#if WIPES
  /* The group is created again, at 0 (StreamReader.claim). */
  :: d_step {
      wipes > 0 -> wipes--;
#if ANNOUNCE
      redis.announced = 0; redis.last = 0;
#endif
      redis.epoch = 0; redis.seq = 0; redis.settled = 0; redis.recorded = 0; redis.sold = 0; redis.delivered = 0;
      redis.acknowledged = 0; redis.copied = 0
    }
#endif
#if STRAYS
  :: d_step {
      strays > 0 && UNREAD != 0 -> strays--; deliver(); k = 0
    }
#endif
#if EDITS
  :: d_step { edits > 0 && redis.epoch != 0 && redis.sold > 0 -> edits--; redis.sold-- }
#ifndef EDITS_DOWN
  :: d_step { edits > 0 && redis.epoch != 0 -> edits--; redis.sold++ }
#endif
#endif
#if BACKUPS
  :: d_step {
      backups > 0 && !hasBackup -> backups--; hasBackup = 1;
      backup.epoch = ledger.epoch; backup.seq = ledger.seq; backup.records = ledger.records; backup.sold = ledger.sold;
      backup.decision[0] = ledger.decision[0]; backup.decision[1] = ledger.decision[1];
      backup.decision[2] = ledger.decision[2]; backup.decision[3] = ledger.decision[3]; backup.dead = ledger.dead
    }
  :: d_step {
      hasBackup && restores > 0 && c[0].state == OFF -> restores--; hasBackup = 0;
      ledger.epoch = backup.epoch; ledger.seq = backup.seq; ledger.records = backup.records; ledger.sold = backup.sold;
      ledger.decision[0] = backup.decision[0]; ledger.decision[1] = backup.decision[1];
      ledger.decision[2] = backup.decision[2]; ledger.decision[3] = backup.decision[3]; ledger.dead = backup.dead;
      backup.epoch = 0; backup.seq = 0; backup.records = 0; backup.sold = 0; backup.decision[0] = 0;
      backup.decision[1] = 0; backup.decision[2] = 0; backup.decision[3] = 0; backup.dead = 0
    }
  /* stocktake ledger adopt: an epoch above Redis', no counters, the group created again. */
  :: d_step {
      isRefused -> isRefused = 0;
      if :: ledger.epoch < redis.epoch -> ledger.epoch = redis.epoch :: else fi;
      redis.epoch = 0; redis.seq = 0; redis.settled = 0; redis.recorded = 0; redis.sold = 0; redis.delivered = 0;
      redis.acknowledged = 0
    }
#endif
  :: d_step { isOver = 1; forgetLate() } -> break
  od
}

inline checkEnd() {
#ifdef REACHES_END
  assert(false);
#endif
  /* every message has its decision, and was acknowledged */
  k = 0; do :: k < ENTRIES -> assert(ledger.decision[k] != NONE); k++ :: else -> break od; k = 0;
  assert(ledger.dead != 1 && ledger.dead != 2);
  assert(UNREAD == 0 && PENDING == 0);
  /* sold units are owned units; the counters are the ledger's; no unit is stranded */
  assert(ledger.sold == OWNED(0) + OWNED(1) + (ENTRIES > 3 && OWNED(3)));
  assert(redis.sold == ledger.sold && redis.seq == ledger.seq && redis.epoch == ledger.epoch);
#if ANNOUNCE
  /* every recorded row is announced */
  assert(redis.announced == ledger.records && redis.last == ledger.records);
#endif
  /* the results that were sent are those that are recorded */
  k = 0;
  do
  :: k < ENTRIES ->
    assert((toldYes & BIT(k)) == 0 || ledger.decision[k] == ACCEPTED || ledger.decision[k] == GAVE);
    assert((toldNo & BIT(k)) == 0 || ledger.decision[k] == REFUSED || ledger.decision[k] == NOTHING);
    k++
  :: else -> break
  od;
  k = 0;
#ifndef ANY_ORDER
  /* The result is that of processing the messages one by one, in the order of the stream. */
  s = 0;
  assert(ledger.decision[0] == (s < CAP -> ACCEPTED : REFUSED)); s++;
  assert(ledger.decision[1] == (s < CAP -> ACCEPTED : REFUSED));
  if :: s < CAP -> s++ :: else fi;
  if :: ENTRIES > 2 -> assert(ledger.decision[2] == GAVE); s-- :: else fi;
  if :: ENTRIES > 3 -> assert(ledger.decision[3] == (s < CAP -> ACCEPTED : REFUSED)) :: else fi;
  s = 0;
#endif
}

/* The end of every history: no process has anything left to do. */
proctype End() {
#if BACKUPS
#define HAS_STOPPED isRefused
#else
#define HAS_STOPPED 0
#endif
  timeout ->
  d_step {
    if
    :: HAS_STOPPED
    :: else -> checkEnd()
    fi
  }
}

init {
  atomic {
    run Consumer(0);
#if USURPER
    run Consumer(1);
#endif
    run World();
    run End()
  }
}
