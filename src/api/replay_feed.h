// Gives a capture's packets to a stack under the capture's own clock, and follows both servers: the recorded one, and
// ours.
#pragma once

#include <unordered_map>
#include <vector>

#include "api/replay_survey.h"
#include "device/link.h"
#include "device/pcap_file.h"
#include "estab/replay.h"
#include "stack/stack.h"

namespace estab::capture {

// The stack's link: what is sent is written down with its virtual time, and followed.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void sent(buf::MbufView packet) = 0;
};

class OutletLink final : public device::Link {
 public:
  OutletLink(Outlet& outlet, wire::MacAddress mac, uint16_t mtu) : outlet_(outlet), mac_(mac), mtu_(mtu) {
    capabilities_.multi_segment = true;
  }

  void receive(buf::MbufBurst& burst) override { burst.clear(); }
  uint16_t transmit(rte_mbuf** mbufs, uint16_t count) override {
    for (uint16_t i = 0; i < count; ++i) outlet_.sent(buf::MbufView(mbufs[i]));
    rte_pktmbuf_free_bulk(mbufs, count);
    return count;
  }
  const device::Capabilities& capabilities() const override { return capabilities_; }
  wire::MacAddress mac() const override { return mac_; }
  uint16_t mtu() const override { return mtu_; }

 private:
  Outlet& outlet_;
  device::Capabilities capabilities_;
  wire::MacAddress mac_;
  uint16_t mtu_;
};

class Feed final : public Outlet {
 public:
  Feed(const Survey& survey, wire::Ipv4Address server, device::PcapWriter& out, ReplaySummary& summary)
      : survey_(survey), server_(server), out_(out), summary_(summary) {}

  // Virtual time is the capture's own, counted from an hour earlier, so that subtracting small spans cannot wrap.
  static Instant instant(uint64_t us);

  void attach(stack::Stack& stack) {
    stack_ = &stack;
    now_ = stack.now();
  }
  // A packet of the capture: first the timers until its time, then itself.
  void packet(buf::Mbuf packet, Instant captured);
  // Timers alone, until no connection is left or `until` has come.
  void drain(Instant until);
  Instant now() const { return now_; }

  void sent(buf::MbufView packet) override;

 private:
  // A conversation, and what an acknowledgment of its client is made of.
  struct Live {
    explicit Live(const RecordedServer& recorded) : conversation(recorded) {}
    Conversation conversation;
    wire::Seq isn;
    wire::Tuple tuple;  // as our server sees it
    wire::MacAddress client_mac;
    wire::MacAddress server_mac;
    wire::Seq next;  // one past all that the client has sent
    uint16_t window = 0;
    bool has_timestamps = false;
    uint32_t ts_value = 0;
    bool reset = false;  // by the client
    bool is_due = false;
  };

  Instant virtual_time(Instant captured);
  void run_timers(Instant until);
  void give(buf::Mbuf packet);
  bool rewrite(buf::Mbuf& packet);
  bool rewrite_syn(buf::Mbuf& packet, const CapturedTcp& tcp);
  bool rewrite_acknowledgment(Live& live, buf::Mbuf& packet, const CapturedTcp& tcp);
  void note_client(Live& live, buf::MbufView packet, const CapturedTcp& tcp);
  void follow_recorded(const CapturedTcp& tcp);
  void acknowledge_late();
  buf::Mbuf make_acknowledgment(const Live& live, wire::Seq ack);
  Live* find(ClientKey key);

  const Survey& survey_;
  const wire::Ipv4Address server_;
  device::PcapWriter& out_;
  ReplaySummary& summary_;
  stack::Stack* stack_ = nullptr;
  Instant now_;
  Duration ahead_;  // the capture's time is ahead of virtual time by this much
  std::unordered_map<ClientKey, Live> live_;
  std::vector<ClientKey> due_;  // to be acknowledged late
  buf::MbufBurst burst_;
};

}  // namespace estab::capture
