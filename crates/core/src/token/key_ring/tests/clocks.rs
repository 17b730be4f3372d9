//! Clocks that were wrong for a while: what they left in the store is no harm once they are right.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

impl World {
    /// A moment in which the clock is wrong by so much.
    async fn wrong_for_a_moment(&self, node: &Node, by: SignedDuration) {
        self.clock.advance(by);
        node.ring.take_turns().await.unwrap();
        self.clock.advance(SignedDuration::ZERO - by);
        node.ring.take_turns().await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_was_a_year_ahead_takes_no_key_and_keeps_none_from_being_made() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    let token = node.sign().await;
    node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
    world.wrong_for_a_moment(&node, days(365)).await;
    assert_eq!(node.verify(&token).await, Ok(()));
    assert_eq!(kid(&node.sign().await), FIRST);

    world.clock.advance(days(2));
    assert_eq!(kid(&node.sign().await), SECOND);
    let rotated = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
    assert_eq!((rotated.by_us, rotated.signs_from), (true, world.now() + PUBLISHED_FOR));
    let again = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
    assert_eq!((again.by_us, again.key_id), (false, rotated.key_id.clone()), "one successor at a time");
    world.clock.advance(PUBLISHED_FOR);
    assert_eq!(kid(&node.sign().await), rotated.key_id);
    // What the other clock made comes to nothing.
    world.clock.advance(BELIEVED_FOR);
    node.sign().await;
    assert_eq!(node.kids(), [rotated.key_id]);
}

#[tokio::test]
async fn rotations_that_race_make_one_key_beside_one_of_the_future() {
    let world = World::new();
    let nodes = [world.node(EVERY_WEEK).await, world.node(EVERY_WEEK).await];
    world.wrong_for_a_moment(&nodes[0], days(365)).await;
    let rotations =
        nodes.each_ref().map(|node| node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded));
    let rotated = futures::future::join_all(rotations).await.into_iter().map(Result::unwrap);
    assert_eq!(rotated.filter(|rotated| rotated.by_us).count(), 1);
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 3);
}

/// Until then the key that verifiers know signs, though by its instant it would not yet.
#[tokio::test]
async fn a_first_key_of_the_future_has_a_successor_of_today() {
    let world = World::new();
    world.clock.advance(days(365));
    let node = world.node(EVERY_WEEK).await;
    world.clock.advance(days(-365));
    let token = node.sign().await;
    let [first, next] = [0, 1].map(|later| format!("us-east-1{}", 1_790_000_000 + 365 * 24 * 3_600 + later));
    assert_eq!(kid(&token), first);
    world.clock.advance(DAY - SignedDuration::from_secs(1));
    assert_eq!(kid(&node.sign().await), first, "the next is published");
    assert_eq!(node.kids(), [first, next.clone()]);
    assert_eq!(node.verify(&token).await, Ok(()));
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(kid(&node.sign().await), next);
    world.clock.advance(BELIEVED_FOR);
    node.sign().await;
    assert_eq!(node.kids(), [next]);
}

/// A machine that believes to be in 1970 until somebody tells it the time.
#[tokio::test]
async fn a_clock_that_was_decades_behind_changes_nothing() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    let token = node.sign().await;
    world.wrong_for_a_moment(&node, days(-10_000)).await;
    assert_eq!(kid(&node.sign().await), FIRST);
    assert_eq!(node.verify(&token).await, Ok(()));
    world.clock.advance(days(3));
    assert_eq!(kid(&node.sign().await), FIRST);
    assert_eq!(node.kids(), [FIRST]);
}

/// What happens to an installation.
#[derive(Debug, Clone)]
enum Step {
    /// Time passes.
    Hours(i64),
    /// Somebody rotates.
    Rotate,
    /// The clock is wrong by so many hours for so many minutes, and then by others, and is right again.
    Wrong(Vec<(i64, i64)>, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let ahead = || prop_oneof![1..72_i64, 1..20_000_i64];
    let minutes = || prop_oneof![Just(0), 1..600_i64];
    let wrong = proptest::collection::vec((ahead(), minutes()), 1..3);
    prop_oneof![
        4 => (1..200_i64).prop_map(Step::Hours),
        1 => Just(Step::Rotate),
        2 => (wrong, any::<bool>()).prop_map(|(wrong, rotate)| Step::Wrong(wrong, rotate)),
        1 => (ahead(), minutes()).prop_map(|(behind, minutes)| Step::Wrong(vec![(-behind, minutes)], false)),
    ]
}

fn is_behind(step: &Step) -> bool {
    matches!(step, Step::Wrong(episodes, _) if episodes[0].0 < 0)
}

/// What has to hold, whatever the clock did.
struct Model {
    world: World,
    nodes: [Node; 2],
    /// How far the clock is from the truth.
    wrong_by: SignedDuration,
    /// Tokens that were signed while the clock was right, and their ends.
    living: Vec<(Timestamp, Secret)>,
    /// When a key was published first, in truth.
    published: BTreeMap<String, Timestamp>,
    /// The key that signed last while the clock was right.
    signed: Option<String>,
}

impl Model {
    async fn new(first_start_is_wrong_by: i64) -> Self {
        let (world, wrong_by) = (World::new(), SignedDuration::from_hours(first_start_is_wrong_by));
        world.clock.advance(wrong_by);
        let nodes = [world.node(EVERY_WEEK).await, world.node(EVERY_WEEK).await];
        let (living, published, signed) = (Vec::new(), BTreeMap::new(), None);
        let mut model = Self { world, nodes, wrong_by, living, published, signed };
        model.be_wrong_by(SignedDuration::ZERO).await;
        model
    }

    async fn be_wrong_by(&mut self, by: SignedDuration) {
        self.world.clock.advance(by - self.wrong_by);
        self.wrong_by = by;
        self.look().await;
    }

    async fn pass(&mut self, mut time: SignedDuration) {
        while time > SignedDuration::ZERO {
            let some = time.min(SignedDuration::from_hours(6));
            self.world.clock.advance(some);
            time -= some;
            self.look().await;
        }
    }

    /// Both nodes sign, and each believes what the other has signed.
    async fn look(&mut self) {
        let truth = self.world.clock.now() - self.wrong_by;
        self.living.retain(|(ends_at, _)| *ends_at > truth);
        for node in &self.nodes {
            node.ring.take_turns().await.unwrap();
        }
        for [one, other] in [[0, 1], [1, 0]] {
            let token = self.nodes[one].sign().await;
            assert_eq!(self.nodes[other].verify(&token).await, Ok(()), "a token of now");
            for key_id in self.nodes[one].kids() {
                self.published.entry(key_id).or_insert(truth);
            }
            if self.wrong_by.is_zero() {
                self.signed_by(kid(&token), truth);
                self.living.push((truth + DAY, token));
                for (_, token) in &self.living {
                    assert_eq!(self.nodes[other].verify(token).await, Ok(()), "{}", kid(token));
                }
            }
        }
    }

    fn signed_by(&mut self, key_id: String, truth: Timestamp) {
        if self.signed.as_ref().is_some_and(|signed| *signed != key_id) {
            let known_for = truth.duration_since(self.published[&key_id]);
            assert!(known_for >= MIN_PUBLISHED_FOR, "{key_id} is published for {known_for:?}");
        }
        self.signed = Some(key_id);
    }

    async fn rotate(&mut self) {
        let before = kid(&self.nodes[0].sign().await);
        let rotated = self.nodes[0].ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
        self.look().await;
        let wait = rotated.signs_from.duration_since(self.world.clock.now());
        assert!(wait <= PUBLISHED_FOR + MIN_PUBLISHED_FOR, "{rotated:?} has to wait for {wait:?}");
        if self.wrong_by.is_zero() {
            self.pass(wait + SignedDuration::from_millis(1)).await;
            assert_ne!(kid(&self.nodes[0].sign().await), before, "{rotated:?}");
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Hours(hours) => self.pass(SignedDuration::from_hours(hours)).await,
            Step::Rotate => self.rotate().await,
            Step::Wrong(episodes, rotates) => {
                for (hours, minutes) in episodes {
                    self.be_wrong_by(SignedDuration::from_hours(hours)).await;
                    self.pass(SignedDuration::from_mins(minutes)).await;
                }
                if rotates {
                    self.rotate().await;
                }
                self.be_wrong_by(SignedDuration::ZERO).await;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_clocks_did_a_key_signs_that_verifiers_know_and_may_be_rotated(
        first_start_is_wrong_by in prop_oneof![Just(0), -9_000..9_000_i64],
        steps in proptest::collection::vec(step(), 1..8),
    ) {
        // After two mistakes nothing in the store tells which clock was right.
        prop_assume!(first_start_is_wrong_by == 0 || !steps.iter().any(is_behind));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut model = Model::new(first_start_is_wrong_by).await;
            for step in steps {
                model.take(step).await;
            }
            model.rotate().await;
        });
    }
}
