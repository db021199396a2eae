#include "tcp/reassembly.h"

#include <algorithm>

namespace estab::tcp {

std::optional<Reassembly::Piece> Reassembly::first_gap(Seq begin, Seq end) const {
  for (size_t i = 0; i < count_ && begin < end; ++i) {
    const Piece& piece = pieces_[i];
    if (piece.end <= begin) continue;
    if (begin < piece.begin) return Piece{begin, earlier(end, piece.begin)};
    begin = piece.end;
  }
  if (begin < end) return Piece{begin, end};
  return std::nullopt;
}

bool Reassembly::insert(const Piece& piece) {
  if (full()) return false;
  size_t at = count_;
  while (at > 0 && piece.begin < pieces_[at - 1].begin) --at;
  std::move_backward(pieces_.begin() + static_cast<ptrdiff_t>(at), pieces_.begin() + static_cast<ptrdiff_t>(count_),
                     pieces_.begin() + static_cast<ptrdiff_t>(count_ + 1));
  pieces_[at] = piece;
  ++count_;
  note_recent(piece.begin);
  return true;
}

std::optional<Reassembly::Piece> Reassembly::pop(Seq next) {
  if (count_ == 0 || pieces_[0].begin != next) return std::nullopt;
  return pop_any();
}

std::optional<Reassembly::Piece> Reassembly::pop_any() {
  if (count_ == 0) return std::nullopt;
  const Piece first = pieces_[0];
  std::move(pieces_.begin() + 1, pieces_.begin() + static_cast<ptrdiff_t>(count_), pieces_.begin());
  --count_;
  return first;
}

wire::SackBlock Reassembly::run_around(size_t i) const {
  wire::SackBlock block{pieces_[i].begin, pieces_[i].end};
  for (size_t j = i; j > 0 && pieces_[j - 1].end == block.begin; --j) block.begin = pieces_[j - 1].begin;
  for (size_t j = i + 1; j < count_ && pieces_[j].begin == block.end; ++j) block.end = pieces_[j].end;
  return block;
}

void Reassembly::note_recent(Seq seq) {
  const size_t kept = std::min(recent_count_, recent_.size() - 1);
  std::move_backward(recent_.begin(), recent_.begin() + static_cast<ptrdiff_t>(kept),
                     recent_.begin() + static_cast<ptrdiff_t>(kept + 1));
  recent_[0] = seq;
  recent_count_ = kept + 1;
}

size_t Reassembly::sack_blocks(std::array<wire::SackBlock, wire::kMaxSackBlocks>& blocks, size_t room) const {
  room = std::min(room, blocks.size());
  size_t n = 0;
  const auto add = [&](size_t i) {
    const wire::SackBlock block = run_around(i);
    for (size_t k = 0; k < n; ++k) {
      if (blocks[k] == block) return;
    }
    if (n < room) blocks[n++] = block;
  };
  for (size_t r = 0; r < recent_count_; ++r) {
    for (size_t i = 0; i < count_; ++i) {
      if (pieces_[i].begin <= recent_[r] && recent_[r] < pieces_[i].end) add(i);
    }
  }
  for (size_t i = count_; i > 0 && n < room; --i) add(i - 1);
  return n;
}

}  // namespace estab::tcp
