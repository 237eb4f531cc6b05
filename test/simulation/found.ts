/**
 * Seeds that found something once. Later changes make other lives of them, so each bug has a test of its own beside the
 * code, too; here they are because bugs come back to places where they were. Since programs go round in loops, and plans
 * draw more than they did, none of them is the run that it was, but the last five: they are seeds like others, which must find nothing.
 */
export const found: ReadonlyMap<number, string> = new Map([
  [581, 'an onlooker took a leader that commits and gives its lead up in one event for a liar'],
  [8023, 'a clean start trusted a file that a full disk had not kept'],
  [10496, 'a data folder whose name was not durable when its node promised much'],
  [31479, 'in an idle chain a move never ended'],
  [37456, 'an onlooker missed the last move of a leader that died in it'],
  [37502, 'the same'],
  [71974, 'a hole between segments: the end of one was lost, the next one was there'],
  [72872, 'an acknowledged batch was written again under another producer id'],
  [104510, 'a follower of an idle partition stayed below the high watermark'],
  [203233, 'a quorum with one voter too many for a minute was taken for one that stands still'],
  [202428, 'a topic that was made anew was taken for one with two leaders'],
  [104681, 'a topic that a repeated question had made anew was taken for one that was not deleted'],
  [203510, 'a reader believed a node that had not heard of its new leader that the log ended before'],
  [313924, 'an onlooker had forgotten a decision that only a server knew which was dead by then'],
  [401901, 'a registration of a former life came late, and the node waited for its own for ever'],
  [401640, 'a snapshot that was due when the disk had failed ended the process'],
  [811572, 'the head of the metadata log was let go while it was read for another node, whose connection was closed'],
  [801599, 'the same'],
  [812446, 'a producer went on after it was told to stop, and the auditor had begun to read'],
  [813051, 'two that joined at a time had one number'],
  [810902, 'who asked a machine that lost its power waits ten seconds for the answer'],
])
