// What the shell is to do after an event: a value, so that a test compares it whole.
#pragma once

#include <cstdint>

#include "tcp/drop.h"
#include "tcp/segment.h"
#include "tcp/state.h"

namespace estab::tcp {

// What became of a segment's text.
enum class Text : uint8_t {
  None,
  Deliver,  // in order: RCV.NXT has moved over it
  Hold,     // for the reassembly queue, then assemble()
};

struct Actions {
  Emission reply;            // to be sent at once, in the received packet's own buffer
  uint32_t acked = 0;        // bytes of text that the peer acknowledged: remove them from the send queue
  uint32_t text_offset = 0;  // where the accepted text starts in the segment's text
  uint32_t text_length = 0;
  Text text = Text::None;
  Drop drop = Drop::None;
  Error error = Error::None;     // with `closed`
  bool hold_fin = false;         // with Text::Hold: a FIN follows the text
  bool established : 1 = false;  // entered ESTABLISHED: tell the user of the accept or connect
  bool peer_closed : 1 = false;  // a FIN was processed
  bool time_wait : 1 = false;    // entered TIME-WAIT
  bool reopen : 1 = false;       // TIME-WAIT gives way to this SYN (RFC 6191): delete the TCB and treat it as in LISTEN
  bool closed : 1 = false;       // entered CLOSED: delete the TCB
  bool output : 1 = false;       // next_segment() may have something
  bool retransmitted : 1 = false;  // a retransmission time-out

  bool operator==(const Actions&) const = default;
};

}  // namespace estab::tcp
