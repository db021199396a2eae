// RFC 9293 §3.3.2, figure 5: every arrow, and the sequences of §3.5 and §3.6 that go along several.
#include <gtest/gtest.h>

#include "support/tcp_link.h"
#include "support/tcp_peer.h"

namespace estab::tcp {
namespace {

TEST(Rfc9293_3_3_2, Closed_PassiveOpen_Listen) {
  Peer peer;
  peer.listen();
  EXPECT_EQ(peer.tcb.state, State::Listen);
  EXPECT_EQ(peer.next(), Emission{});
  EXPECT_TRUE(peer.tcb.poll_at().is_never());
}

TEST(Rfc9293_3_3_2, Closed_ActiveOpen_SynSent) {
  Peer peer;
  EXPECT_TRUE(peer.syn_sent().flags.syn());
  EXPECT_EQ(peer.tcb.state, State::SynSent);
}

TEST(Rfc9293_3_3_2, Listen_Close_Closed) {
  Peer peer;
  peer.listen();
  EXPECT_EQ(peer.closes(), Actions{.closed = true});
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_3_2, Listen_RcvSyn_SynReceived) {
  Peer peer;
  peer.listen();
  EXPECT_TRUE(peer.arrives(peer.syn()).reply.flags.ack());
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc9293_3_3_2, SynSent_Close_ClosedWithoutAWord) {
  Peer peer;
  peer.syn_sent();
  EXPECT_EQ(peer.closes(), Actions{.closed = true});
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_3_2, SynSent_RcvSyn_SynReceived) {
  Peer peer;
  peer.syn_received_active();
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
}

TEST(Rfc9293_3_3_2, SynSent_RcvSynAck_Established) {
  Peer peer;
  peer.established_active();
  EXPECT_EQ(peer.tcb.state, State::Established);
}

TEST(Rfc9293_3_3_2, SynReceived_RcvAckOfSyn_Established) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.tcb.state, State::Established);
}

TEST(Rfc9293_3_3_2, SynReceived_Close_FinFollowsTheHandshake) {  // "queue this until ESTABLISHED", §3.10.4
  Peer peer;
  peer.syn_received();
  peer.closes();
  EXPECT_EQ(peer.tcb.state, State::SynReceived);
  EXPECT_TRUE(peer.arrives(peer.ack()).output);
  EXPECT_EQ(peer.tcb.state, State::FinWait1);
  EXPECT_TRUE(peer.next().flags.fin());
}

TEST(Rfc9293_3_3_2, SynReceived_RcvRst_BackToListen) {  // note 1
  Peer peer;
  peer.syn_received();
  EXPECT_TRUE(peer.arrives(peer.rst()).closed);
}

TEST(Rfc9293_3_3_2, Established_Close_FinWait1) {
  Peer peer;
  peer.established();
  EXPECT_TRUE(peer.closes().output);
  EXPECT_EQ(peer.tcb.state, State::FinWait1);
  EXPECT_TRUE(peer.next().flags.fin());
}

TEST(Rfc9293_3_3_2, Established_RcvFin_CloseWait) {
  Peer peer;
  peer.established();
  EXPECT_EQ(peer.arrives(peer.fin()), (Actions{.peer_closed = true, .output = true}));
  EXPECT_EQ(peer.tcb.state, State::CloseWait);
  EXPECT_EQ(peer.next().ack, Seq(5002));
}

TEST(Rfc9293_3_3_2, FinWait1_RcvAckOfFin_FinWait2) {
  Peer peer;
  peer.fin_wait_2();
  EXPECT_EQ(peer.last, Actions{});
  EXPECT_EQ(peer.tcb.state, State::FinWait2);
}

TEST(Rfc9293_3_3_2, FinWait1_RcvFin_Closing) {
  Peer peer;
  peer.fin_wait_1();
  Segment s = peer.fin();
  s.ack = peer.tcb.snd.una;
  EXPECT_TRUE(peer.arrives(s).peer_closed);
  EXPECT_EQ(peer.tcb.state, State::Closing);
  EXPECT_EQ(peer.next().ack, Seq(5002));
}

TEST(Rfc9293_3_3_2, FinWait1_RcvFinAndAckOfFin_TimeWait) {  // note 2
  Peer peer;
  peer.fin_wait_1();
  EXPECT_EQ(peer.arrives(peer.fin()), (Actions{.peer_closed = true, .time_wait = true, .output = true}));
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
  EXPECT_EQ(peer.next().ack, Seq(5002));
}

TEST(Rfc9293_3_3_2, FinWait2_RcvFin_TimeWait) {
  Peer peer;
  peer.fin_wait_2();
  EXPECT_TRUE(peer.arrives(peer.fin()).time_wait);
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
  EXPECT_EQ(peer.next().ack, Seq(5002));
}

TEST(Rfc9293_3_3_2, CloseWait_Close_LastAck) {
  Peer peer;
  peer.close_wait();
  peer.closes();
  EXPECT_EQ(peer.tcb.state, State::LastAck);
  EXPECT_TRUE(peer.next().flags.fin());
}

TEST(Rfc9293_3_3_2, Closing_RcvAckOfFin_TimeWait) {
  Peer peer;
  peer.closing();
  EXPECT_EQ(peer.arrives(peer.ack()), Actions{.time_wait = true});
  EXPECT_EQ(peer.tcb.state, State::TimeWait);
}

TEST(Rfc9293_3_3_2, LastAck_RcvAckOfFin_Closed) {
  Peer peer;
  peer.last_ack();
  EXPECT_EQ(peer.arrives(peer.ack()), Actions{.closed = true});
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_3_2, TimeWait_2Msl_Closed) {
  Peer peer;
  peer.time_wait();
  EXPECT_EQ(peer.advance(Duration::seconds(59)), Actions{});
  EXPECT_EQ(peer.advance(Duration::seconds(1)), Actions{.closed = true});
  EXPECT_EQ(peer.tcb.state, State::Closed);
}

TEST(Rfc9293_3_5_Figure7, SimultaneousOpen_SynAckCompletesIt) {
  Peer peer;
  peer.syn_received_active();
  Segment s = peer.syn(kAck);
  peer.arrives(s);
  EXPECT_TRUE(peer.last.established);
  EXPECT_EQ(peer.tcb.state, State::Established);
  EXPECT_EQ(peer.tcb.snd.wnd, 10'000u);
}

TEST(Rfc9293_3_5_Figure7, SimultaneousOpen_BareAckCompletesIt) {
  Peer peer;
  peer.syn_received_active();
  EXPECT_TRUE(peer.arrives(peer.ack()).established);
}

TEST(Rfc9293_3_5_Figure7, SimultaneousOpen_SynAckWithText_TextTaken) {
  Peer peer;
  peer.syn_received_active();
  Segment s = peer.syn(kAck);
  s.text = 10;
  peer.arrives(s);
  EXPECT_EQ(peer.last.text, Text::Deliver);
  EXPECT_EQ(peer.last.text_length, 10u);
  EXPECT_EQ(peer.tcb.rcv.nxt, Seq(5011));
}

TEST(Rfc9293_3_5_Figure7, TwoStacks_SimultaneousOpen_BothEstablishedAndQuiet) {
  Link link;
  link.open_simultaneously();
  link.run_for(Duration::seconds(10));
  EXPECT_EQ(link.host[0].tcb.state, State::Established);
  EXPECT_EQ(link.host[1].tcb.state, State::Established);
  EXPECT_TRUE(link.quiet());
}

TEST(Rfc9293_3_5_Figure7, TwoStacks_OneSynAckLost_BothEstablished) {
  Link link;
  bool lost = false;
  link.fate = [&](const Packet& p) { return Fate{.lost = p.segment.flags.ack() && !std::exchange(lost, true)}; };
  link.open_simultaneously();
  link.run_for(Duration::seconds(10));
  EXPECT_EQ(link.host[0].tcb.state, State::Established);
  EXPECT_EQ(link.host[1].tcb.state, State::Established);
}

TEST(Rfc9293_3_5_Figure6, TwoStacks_LastAckOfHandshakeLost_BothEstablished) {
  Link link;
  bool lost = false;
  link.fate = [&](const Packet& p) {
    return Fate{.lost = p.to == 1 && !p.segment.flags.syn() && !std::exchange(lost, true)};
  };
  link.open();
  link.run_for(Duration::seconds(10));
  EXPECT_EQ(link.host[1].tcb.state, State::Established);
}

TEST(Rfc9293_3_6_Figure13, TwoStacks_SimultaneousClose_BothTimeWaitThenClosed) {
  Link link;
  link.open();
  link.run_until([&] { return link.host[1].established; });
  link.shutdown(0);
  link.shutdown(1);
  link.run_for(Duration::seconds(1));
  EXPECT_EQ(link.host[0].tcb.state, State::TimeWait);
  EXPECT_EQ(link.host[1].tcb.state, State::TimeWait);
  link.run_for(Duration::seconds(60));
  EXPECT_TRUE(link.host[0].closed && link.host[1].closed);
}

TEST(Rfc9293_3_6_Figure12, TwoStacks_LastAckLost_FinAgainAndClosed) {
  Link link;
  link.open();
  link.run_until([&] { return link.host[1].established; });
  link.host[1].closes_after = true;
  int to_one = 0;
  link.fate = [&](const Packet& p) { return Fate{.lost = p.to == 1 && ++to_one == 2}; };  // the ACK of its FIN
  link.shutdown(0);
  ASSERT_TRUE(link.run_until([&] { return link.host[1].closed; }, Duration::seconds(30)));
  EXPECT_EQ(link.host[1].error, Error::None);
  EXPECT_EQ(link.host[0].tcb.state, State::TimeWait);
}

TEST(Rfc9293_3_6, TwoStacks_HalfClose_TextStillFlowsBack) {
  Link link;
  link.open();
  link.run_until([&] { return link.host[1].established; });
  link.shutdown(0);
  link.run_for(Duration::seconds(1'000));  // for ever, if need be
  EXPECT_EQ(link.host[0].tcb.state, State::FinWait2);
  link.send_text(1, pattern(50'000));
  link.run_for(Duration::seconds(5));
  EXPECT_TRUE(link.host[0].received == pattern(50'000));
  link.shutdown(1);
  link.run_for(Duration::seconds(1));
  EXPECT_EQ(link.host[0].tcb.state, State::TimeWait);
  EXPECT_TRUE(link.host[1].closed);
}

}  // namespace
}  // namespace estab::tcp
